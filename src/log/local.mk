# log: records, data files, the store's directory
noinst_LIBRARIES += librk_log.a
librk_log_a_SOURCES = \
	%D%/log_file.c %D%/log_file.h \
	%D%/log_location.c %D%/log_location.h \
	%D%/log_record.c %D%/log_record.h
