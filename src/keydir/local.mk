# keydir: fingerprint -> location
