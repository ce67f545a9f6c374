# http: the only place that knows libh2o
noinst_LIBRARIES += librk_http.a
librk_http_a_SOURCES = \
	%D%/http_accept.c %D%/http_accept.h \
	%D%/http_answer.c %D%/http_answer.h \
	%D%/http_ask.c %D%/http_ask.h \
	%D%/http_backend.h \
	%D%/http_condition.c %D%/http_condition.h \
	%D%/http_connection.c %D%/http_connection.h \
	%D%/http_date.c %D%/http_date.h \
	%D%/http_expect.c %D%/http_expect.h \
	%D%/http_fallback.c %D%/http_fallback.h \
	%D%/http_field.c %D%/http_field.h \
	%D%/http_handler.c %D%/http_handler.h \
	%D%/http_interpose.c %D%/http_interpose.h \
	%D%/http_json.c %D%/http_json.h \
	%D%/http_lines.h \
	%D%/http_list.c %D%/http_list.h \
	%D%/http_list_ask.c %D%/http_list_ask.h \
	%D%/http_list_page.c %D%/http_list_page.h \
	%D%/http_list_row.c %D%/http_list_row.h \
	%D%/http_listeners.c %D%/http_listeners.h \
	%D%/http_metadata.c %D%/http_metadata.h \
	%D%/http_metrics.c %D%/http_metrics.h \
	%D%/http_number.c %D%/http_number.h \
	%D%/http_openapi.c %D%/http_openapi.h \
	%D%/http_option.c %D%/http_option.h \
	%D%/http_parse_bytes.c \
	%D%/http_parse_chunked.c \
	%D%/http_parse_fields.c \
	%D%/http_parse_private.h \
	%D%/http_parse_request.c \
	%D%/http_parse_values.c \
	%D%/http_parser.h \
	%D%/http_pieces.c %D%/http_pieces.h \
	%D%/http_probe.c %D%/http_probe.h \
	%D%/http_problem.c %D%/http_problem.h \
	%D%/http_range.c %D%/http_range.h \
	%D%/http_read.c %D%/http_read.h \
	%D%/http_reading.c %D%/http_reading.h \
	%D%/http_request.c %D%/http_request.h \
	%D%/http_route.c %D%/http_route.h \
	%D%/http_routes.c %D%/http_routes.h \
	%D%/http_server.c %D%/http_server.h \
	%D%/http_service.c %D%/http_service.h \
	%D%/http_socket.c %D%/http_socket.h \
	%D%/http_state.h \
	%D%/http_sweep.c %D%/http_sweep.h \
	%D%/http_target.c %D%/http_target.h \
	%D%/http_text.c %D%/http_text.h \
	%D%/http_update.c %D%/http_update.h \
	%D%/http_watch.c %D%/http_watch.h \
	%D%/http_write.c %D%/http_write.h \
	%D%/http_write_problem.c %D%/http_write_problem.h
librk_http_a_CFLAGS = $(AM_CFLAGS) $(H2O_CFLAGS) $(OPENSSL_CFLAGS)
