# ring: requests and completions between a worker and the writer
noinst_LIBRARIES += librk_ring.a
librk_ring_a_SOURCES = %D%/ring.c %D%/ring.h %D%/ring_messages.h
