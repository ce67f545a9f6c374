# tests of src/http
check_PROGRAMS += check_http_target check_http_parser check_http_codecs
check_http_target_SOURCES = %D%/check_http_target.c
check_http_target_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_http_target_LDADD = librk_test.a librk_http.a librk_stats.a librk_base.a $(CHECK_LIBS) $(H2O_LIBS) $(OPENSSL_LIBS) $(ISAL_LIBS)
check_http_parser_SOURCES = %D%/check_http_parser.c
check_http_parser_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_http_parser_LDADD = librk_test.a librk_http.a librk_base.a $(CHECK_LIBS)
check_http_codecs_SOURCES = %D%/check_http_codecs.c
check_http_codecs_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_http_codecs_LDADD = librk_test.a librk_http.a librk_base.a $(CHECK_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += check_http_condition check_http_metadata check_http_option check_http_range
check_http_condition_SOURCES = %D%/check_http_condition.c %D%/http_lines_bed.c %D%/http_lines_bed.h
check_http_condition_CFLAGS = $(check_http_parser_CFLAGS)
check_http_condition_LDADD = $(check_http_parser_LDADD)
check_http_metadata_SOURCES = %D%/check_http_metadata.c %D%/http_lines_bed.c %D%/http_lines_bed.h
check_http_metadata_CFLAGS = $(check_http_parser_CFLAGS)
check_http_metadata_LDADD = $(check_http_parser_LDADD)
check_http_option_SOURCES = %D%/check_http_option.c %D%/http_lines_bed.c %D%/http_lines_bed.h
check_http_option_CFLAGS = $(check_http_parser_CFLAGS)
check_http_option_LDADD = $(check_http_parser_LDADD)
check_http_range_SOURCES = %D%/check_http_range.c %D%/http_lines_bed.c %D%/http_lines_bed.h
check_http_range_CFLAGS = $(check_http_parser_CFLAGS)
check_http_range_LDADD = $(check_http_parser_LDADD)

check_PROGRAMS += check_http_fuzz
check_http_fuzz_SOURCES = %D%/check_http_fuzz.c %D%/fuzz_http.c %D%/fuzz_http.h
check_http_fuzz_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_http_fuzz_LDADD = librk_test.a librk_http.a librk_base.a $(CHECK_LIBS)

check_PROGRAMS += check_http_parser_fuzz
check_http_parser_fuzz_SOURCES = %D%/check_http_parser_fuzz.c %D%/fuzz_parser.c %D%/fuzz_parser.h %D%/slow_parser.c %D%/slow_chunks.c \
	%D%/slow_parser.h
check_http_parser_fuzz_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_http_parser_fuzz_LDADD = librk_test.a librk_http.a librk_base.a $(CHECK_LIBS)

check_LIBRARIES += librk_test_http.a
librk_test_http_a_SOURCES = %D%/fake_backend.c %D%/fake_backend.h %D%/fake_listing.c %D%/fake_listing.h %D%/http_bed.c %D%/http_bed.h \
	%D%/raw_client.c %D%/raw_client.h
librk_test_http_a_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)

check_PROGRAMS += check_http_server
check_http_server_SOURCES = %D%/check_http_server.c
check_http_server_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_http_server_LDADD = librk_test.a librk_test_http.a librk_http.a librk_stats.a librk_base.a $(CHECK_LIBS) $(H2O_LIBS) \
	$(OPENSSL_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_http_onekey check_http_stored check_http_parts check_http_decided
check_http_onekey_SOURCES = %D%/check_http_onekey.c %D%/http_rows.c %D%/http_rows.h
check_http_onekey_CFLAGS = $(check_http_server_CFLAGS)
check_http_onekey_LDADD = $(check_http_server_LDADD)
check_http_stored_SOURCES = %D%/check_http_stored.c %D%/http_rows.c %D%/http_rows.h
check_http_stored_CFLAGS = $(check_http_server_CFLAGS)
check_http_stored_LDADD = $(check_http_server_LDADD)
check_http_parts_SOURCES = %D%/check_http_parts.c %D%/http_rows.c %D%/http_rows.h
check_http_parts_CFLAGS = $(check_http_server_CFLAGS)
check_http_parts_LDADD = $(check_http_server_LDADD)
check_http_decided_SOURCES = %D%/check_http_decided.c %D%/http_rows.c %D%/http_rows.h
check_http_decided_CFLAGS = $(check_http_server_CFLAGS)
check_http_decided_LDADD = $(check_http_server_LDADD)

check_PROGRAMS += check_http_list check_http_list_ask
check_http_list_SOURCES = %D%/check_http_list.c %D%/http_rows.c %D%/http_rows.h
check_http_list_CFLAGS = $(check_http_server_CFLAGS)
check_http_list_LDADD = $(check_http_server_LDADD)
check_http_list_ask_SOURCES = %D%/check_http_list_ask.c
check_http_list_ask_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_http_list_ask_LDADD = librk_test.a librk_http.a librk_stats.a librk_base.a $(CHECK_LIBS) $(JANSSON_LIBS) $(H2O_LIBS) $(OPENSSL_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_http_refusals
check_http_refusals_SOURCES = %D%/check_http_refusals.c
check_http_refusals_CFLAGS = $(check_http_server_CFLAGS)
check_http_refusals_LDADD = $(check_http_server_LDADD)

check_PROGRAMS += check_http_limits
check_http_limits_SOURCES = %D%/check_http_limits.c
check_http_limits_CFLAGS = $(check_http_server_CFLAGS)
check_http_limits_LDADD = $(check_http_server_LDADD)

check_PROGRAMS += check_http_bytes
check_http_bytes_SOURCES = %D%/check_http_bytes.c
check_http_bytes_CFLAGS = $(check_http_server_CFLAGS)
check_http_bytes_LDADD = $(check_http_server_LDADD)

check_PROGRAMS += check_http_raw
check_http_raw_SOURCES = %D%/check_http_raw.c
check_http_raw_CFLAGS = $(check_http_server_CFLAGS)
check_http_raw_LDADD = $(check_http_server_LDADD)

check_PROGRAMS += check_http_protocol
check_http_protocol_SOURCES = %D%/check_http_protocol.c
check_http_protocol_CFLAGS = $(check_http_server_CFLAGS)
check_http_protocol_LDADD = $(check_http_server_LDADD)

check_PROGRAMS += check_http_reading
check_http_reading_SOURCES = %D%/check_http_reading.c
check_http_reading_CFLAGS = $(check_http_server_CFLAGS)
check_http_reading_LDADD = $(check_http_server_LDADD)

check_PROGRAMS += check_http_rates
check_http_rates_SOURCES = %D%/check_http_rates.c
check_http_rates_CFLAGS = $(check_http_server_CFLAGS)
check_http_rates_LDADD = $(check_http_server_LDADD)

check_PROGRAMS += check_http_chunked
check_http_chunked_SOURCES = %D%/check_http_chunked.c
check_http_chunked_CFLAGS = $(check_http_parser_CFLAGS)
check_http_chunked_LDADD = $(check_http_parser_LDADD)

check_PROGRAMS += check_http_probe
check_http_probe_SOURCES = %D%/check_http_probe.c
check_http_probe_CFLAGS = $(check_http_server_CFLAGS)
check_http_probe_LDFLAGS = $(AM_LDFLAGS) -Wl,--exclude-libs,librk_http.a
check_http_probe_LDADD = librk_test.a librk_http.a librk_stats.a librk_base.a $(CHECK_LIBS) $(H2O_LIBS) $(OPENSSL_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_http_metrics
check_http_metrics_SOURCES = %D%/check_http_metrics.c
check_http_metrics_CFLAGS = $(check_http_server_CFLAGS) $(JANSSON_CFLAGS)
check_http_metrics_LDADD = $(check_http_server_LDADD) $(JANSSON_LIBS)
