# benchmarks: built on demand (make bench), never part of make check
.PHONY: bench
bench: $(EXTRA_PROGRAMS)

EXTRA_DIST += %D%/chart.gp %D%/provenance
provenance = $(srcdir)/%D%/provenance $(PACKAGE_VERSION)

include bench/floor/local.mk
include bench/keydir/local.mk
include bench/merge/local.mk
include bench/recovery/local.mk
include bench/list/local.mk
