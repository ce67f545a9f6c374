# benchmarks: built on demand (make bench), never part of make check
.PHONY: bench
bench: $(EXTRA_PROGRAMS)

# That each of them still runs, at its smallest; the figures mean nothing then. The last two need wrk.
.PHONY: bench-try
bench-try: bench rackkvd$(EXEEXT) rackkvctl$(EXEEXT)
	./recovery_bench -v 15 0.01
	./keydir_bench 0.01
	./merge_bench $${TMPDIR:-/tmp} 1 1000
	./expire_bench $${TMPDIR:-/tmp} 1
	$(srcdir)/%D%/http_bench -d 1 -r 1 -k 1000 './rackkvd -o server.data_dir=bench-try.data -o http.listen=127.0.0.1:%p'
	rm -r bench-try.data
	$(srcdir)/%D%/merge/foreground_bench -w get -l 64 -m none,paced -d 1 -r 1 -k 200000

EXTRA_DIST += %D%/chart.gp %D%/provenance
provenance = $(srcdir)/%D%/provenance $(PACKAGE_VERSION)

include bench/floor/local.mk
include bench/keydir/local.mk
include bench/merge/local.mk
include bench/recovery/local.mk
include bench/list/local.mk
