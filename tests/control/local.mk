# tests of src/control
check_PROGRAMS += check_control_server
check_control_server_SOURCES = %D%/check_control_server.c
check_control_server_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_control_server_LDADD = librk_test.a librk_control.a librk_base.a $(CHECK_LIBS) $(JANSSON_LIBS)
