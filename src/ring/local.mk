# ring: requests and completions between a worker and the writer
