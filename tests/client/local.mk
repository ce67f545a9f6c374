# tests of src/client
check_PROGRAMS += check_client
check_client_SOURCES = %D%/check_client.c
check_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_client_LDADD = librk_test.a librk_client.a librk_base.a $(rk_client_libs) $(CHECK_LIBS)
