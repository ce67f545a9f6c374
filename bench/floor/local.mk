# the floor that RackKV is measured against, and its HTTP face without a store
EXTRA_PROGRAMS += bench_floor bench_face
bench_floor_SOURCES = %D%/bench_floor.c
bench_floor_CFLAGS = $(AM_CFLAGS) $(H2O_CFLAGS) $(OPENSSL_CFLAGS)
bench_floor_LDADD = $(H2O_LIBS) $(OPENSSL_LIBS)
bench_face_SOURCES = %D%/bench_face.c
bench_face_LDADD = librk_http.a librk_stats.a librk_base.a $(H2O_LIBS) $(OPENSSL_LIBS) $(ISAL_LIBS)
CLEANFILES += bench_floor bench_face
EXTRA_DIST += bench/http_bench bench/bench_servers.sh %D%/http_bench.lua
