# store: the worker's half, where keydir, disk and rings meet
noinst_LIBRARIES += librk_store.a
librk_store_a_SOURCES = \
	%D%/store_client.c %D%/store_client.h \
	%D%/store_files.c %D%/store_files.h \
	%D%/store_get.c %D%/store_get.h \
	%D%/store_op.c %D%/store_op.h \
	%D%/store_piece.c \
	%D%/store_readers.c %D%/store_readers.h \
	%D%/store_types.h \
	%D%/store_update.c %D%/store_update.h \
	%D%/store_update_group.c %D%/store_update_group.h \
	%D%/store_update_lane.c %D%/store_update_lane.h \
	%D%/store_update_value.c %D%/store_update_value.h \
	%D%/store_write.c %D%/store_write.h
