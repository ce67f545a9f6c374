# conf: the configuration file, typed
noinst_LIBRARIES += librk_conf.a
librk_conf_a_SOURCES = \
	%D%/conf.c %D%/conf.h \
	%D%/conf_access.c %D%/conf_access.h \
	%D%/conf_address.c %D%/conf_address.h \
	%D%/conf_check.c \
	%D%/conf_file.c \
	%D%/conf_load.c \
	%D%/conf_print.c \
	%D%/conf_reference.c \
	%D%/conf_set.c %D%/conf_set.h \
	%D%/conf_suggest.c \
	%D%/conf_table.c %D%/conf_table.h \
	%D%/conf_value.c %D%/conf_value.h \
	%D%/conf_window.c %D%/conf_window.h \
	%D%/conf_yaml.c %D%/conf_yaml.h
librk_conf_a_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)

# What people read. The reference file and rackkv.yaml(5) come from the table; check_conf fails when they are out of
# date.
EXTRA_PROGRAMS += conf_docs
conf_docs_SOURCES = %D%/conf_docs.c
conf_docs_LDADD = librk_conf.a librk_base.a $(YAML_LIBS)
CLEANFILES += conf_docs
dist_doc_DATA = conf/rackkv.yaml conf/haproxy-rackkv.cfg conf/nginx-rackkv.conf
dist_man_MANS = man/rackkv.1 man/rackkv.yaml.5 man/rackkvctl.8 man/rackkvd.8

.PHONY: conf-docs
conf-docs: conf_docs
	./conf_docs > $(top_srcdir)/conf/rackkv.yaml
	./conf_docs --manual > $(top_srcdir)/man/rackkv.yaml.5
