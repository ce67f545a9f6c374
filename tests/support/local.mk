# support: what every test program links
check_LIBRARIES += librk_test.a
librk_test_a_SOURCES = %D%/test_main.c %D%/test_main.h %D%/test_sanitized.h %D%/test_dir.c %D%/test_dir.h \
	%D%/test_io.c %D%/test_io.h %D%/test_process.c %D%/test_process.h
librk_test_a_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
EXTRA_DIST += %D%/sum_results.sh
