# client: talks to a server over HTTP, or to its master over the control socket
noinst_LIBRARIES += librk_client.a
librk_client_a_SOURCES = \
	%D%/client.c %D%/client.h \
	%D%/client_admin.c %D%/client_admin.h \
	%D%/client_admin_files.c %D%/client_admin_merge.c %D%/client_admin_rate.c %D%/client_admin_status.c \
	%D%/client_answer.c %D%/client_answer.h \
	%D%/client_buffer.c %D%/client_buffer.h \
	%D%/client_command.h %D%/client_command_read.c %D%/client_command_write.c \
	%D%/client_control.c %D%/client_control.h \
	%D%/client_duration.c %D%/client_duration.h \
	%D%/client_edit.c %D%/client_edit.h \
	%D%/client_exit.c %D%/client_exit.h \
	%D%/client_export.c %D%/client_import.c %D%/client_list.c \
	%D%/client_fields.c %D%/client_fields.h \
	%D%/client_figure.c %D%/client_figure.h \
	%D%/client_item.c %D%/client_item.h \
	%D%/client_line.c %D%/client_line.h \
	%D%/client_locale.c %D%/client_locale.h \
	%D%/client_options.c %D%/client_options.h \
	%D%/client_progress.c %D%/client_progress.h \
	%D%/client_report.c %D%/client_report.h \
	%D%/client_server.c %D%/client_server.h \
	%D%/client_shell.c %D%/client_shell.h \
	%D%/client_shell_verb.c %D%/client_shell_verb.h \
	%D%/client_table.c %D%/client_table.h \
	%D%/client_text.c %D%/client_text.h \
	%D%/client_url.c %D%/client_url.h \
	%D%/client_value.c %D%/client_value.h \
	%D%/client_verbs.c %D%/client_verbs.h
librk_client_a_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(EDIT_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS)
rk_client_libs = $(CURL_LIBS) $(EDIT_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS)

# The programs are this library, each with a table of commands.
bin_PROGRAMS += rackkv
rackkv_SOURCES = src/bin/rackkv.c src/bin/bin_help.c src/bin/bin_help.h src/bin/bin_open.c src/bin/bin_open.h \
	src/bin/bin_words.c src/bin/bin_words.h
rackkv_LDADD = librk_client.a librk_base.a $(rk_client_libs)

sbin_PROGRAMS += rackkvctl
rackkvctl_SOURCES = src/bin/rackkvctl.c src/bin/bin_ctl.c src/bin/bin_ctl.h src/bin/bin_protocol.c src/bin/bin_protocol.h \
	src/bin/bin_socket.c src/bin/bin_socket.h
rackkvctl_LDADD = librk_client.a librk_conf.a librk_base.a $(JANSSON_LIBS) $(SODIUM_LIBS) $(YAML_LIBS)
