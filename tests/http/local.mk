# tests of src/http
check_PROGRAMS += check_http_target check_http_head check_http_codecs
check_http_target_SOURCES = %D%/check_http_target.c
check_http_target_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_http_target_LDADD = librk_test.a librk_http.a librk_base.a $(CHECK_LIBS)
check_http_head_SOURCES = %D%/check_http_head.c
check_http_head_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_http_head_LDADD = librk_test.a librk_http.a librk_base.a $(CHECK_LIBS)
check_http_codecs_SOURCES = %D%/check_http_codecs.c
check_http_codecs_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_http_codecs_LDADD = librk_test.a librk_http.a librk_base.a $(CHECK_LIBS) $(JANSSON_LIBS)
