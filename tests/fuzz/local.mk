# fuzz: any bytes where bytes come from outside. Each target is a test over its seeds, and with make fuzz a libFuzzer.
fuzz_targets = scan hint keys manifest conf http parser
fuzz_cppflags = $(AM_CPPFLAGS) -DFUZZ_ROUNDS=20000
fuzz_log_libs = $(RK_LOG_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS)
fuzz_log_sources = %D%/fuzz_main.c %D%/fuzz.h %D%/fuzz_data.c %D%/fuzz_data.h

check_PROGRAMS += fuzz_scan fuzz_hint fuzz_keys fuzz_manifest fuzz_conf fuzz_http fuzz_parser
fuzz_scan_SOURCES = %D%/fuzz_scan.c $(fuzz_log_sources)
fuzz_scan_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_SEEDS='"$(abs_top_srcdir)/%D%/seeds/scan"'
fuzz_scan_LDADD = $(fuzz_log_libs)
fuzz_hint_SOURCES = %D%/fuzz_hint.c $(fuzz_log_sources)
fuzz_hint_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_SEEDS='"$(abs_top_srcdir)/%D%/seeds/hint"'
fuzz_hint_LDADD = $(fuzz_log_libs)
fuzz_keys_SOURCES = %D%/fuzz_keys.c $(fuzz_log_sources)
fuzz_keys_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_SEEDS='"$(abs_top_srcdir)/%D%/seeds/keys"'
fuzz_keys_LDADD = $(fuzz_log_libs)
fuzz_manifest_SOURCES = %D%/fuzz_manifest.c %D%/fuzz_main.c %D%/fuzz.h
fuzz_manifest_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_SEEDS='"$(abs_top_srcdir)/%D%/seeds/manifest"'
fuzz_manifest_LDADD = $(fuzz_log_libs)
fuzz_conf_SOURCES = tests/conf/fuzz_conf.c tests/conf/fuzz_conf.h %D%/fuzz_main.c %D%/fuzz.h
fuzz_conf_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_SEEDS='"$(abs_top_srcdir)/%D%/seeds/conf"'
fuzz_conf_LDADD = librk_conf.a librk_base.a $(YAML_LIBS)
fuzz_http_SOURCES = tests/http/fuzz_http.c tests/http/fuzz_http.h %D%/fuzz_main.c %D%/fuzz.h
fuzz_http_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_SEEDS='"$(abs_top_srcdir)/%D%/seeds/http"'
fuzz_http_LDADD = librk_http.a librk_base.a
fuzz_parser_SOURCES = tests/http/fuzz_parser.c tests/http/fuzz_parser.h tests/http/slow_parser.c tests/http/slow_chunks.c \
	tests/http/slow_parser.h %D%/fuzz_main.c %D%/fuzz.h
fuzz_parser_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_SEEDS='"$(abs_top_srcdir)/%D%/seeds/parser"'
fuzz_parser_LDADD = librk_http.a librk_base.a

# The seeds, made anew; they are committed.
EXTRA_PROGRAMS += fuzz_seeds
CLEANFILES += fuzz_seeds$(EXEEXT)
fuzz_seeds_SOURCES = %D%/fuzz_seeds.c %D%/fuzz_data.c %D%/fuzz_data.h
fuzz_seeds_LDADD = $(fuzz_log_libs)
fuzz-seeds: fuzz_seeds$(EXEEXT)
	./fuzz_seeds$(EXEEXT) $(srcdir)/%D%/seeds
EXTRA_DIST += %D%/run_fuzz.sh %D%/seeds

# make fuzz FUZZ_SECONDS=60 FUZZ_TARGETS='scan hint'
FUZZ_SECONDS = 30
FUZZ_TARGETS = $(fuzz_targets)
fuzz:
	srcdir=$(srcdir) $(SHELL) $(srcdir)/%D%/run_fuzz.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# An hour each; make check-long FUZZ_LONG_SECONDS=60 for less.
FUZZ_LONG_SECONDS = 3600
check-long: check-long-fuzz
check-long-fuzz:
	$(MAKE) fuzz FUZZ_SECONDS=$(FUZZ_LONG_SECONDS)
