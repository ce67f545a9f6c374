# benchmarks: built on demand (make bench), never part of make check
include bench/floor/local.mk
