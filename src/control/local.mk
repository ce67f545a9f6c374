# control: administration over a Unix socket; the master's alone
noinst_LIBRARIES += librk_control.a
librk_control_a_SOURCES = \
	%D%/control.c %D%/control.h %D%/control_private.h \
	%D%/control_check.c %D%/control_check.h \
	%D%/control_client.c %D%/control_client.h \
	%D%/control_files.c \
	%D%/control_jobs.c %D%/control_jobs.h \
	%D%/control_log.c \
	%D%/control_merge.c \
	%D%/control_server.c %D%/control_server.h \
	%D%/control_show.c \
	%D%/control_stats.c \
	%D%/control_status.c \
	%D%/control_verbs.c
librk_control_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
