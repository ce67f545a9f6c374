# control: administration over a Unix socket; the master's alone
noinst_LIBRARIES += librk_control.a
librk_control_a_SOURCES = \
	%D%/control_client.c %D%/control_client.h \
	%D%/control_server.c %D%/control_server.h
librk_control_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
