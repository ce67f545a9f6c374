# list: the keys in their order
noinst_LIBRARIES += librk_list.a
librk_list_a_SOURCES = \
	%D%/list_batch.c %D%/list_batch.h \
	%D%/list_buffer.h \
	%D%/list_cursor.c %D%/list_cursor.h \
	%D%/list_lister.c %D%/list_lister.h \
	%D%/list_order.c %D%/list_order.h \
	%D%/list_record.c %D%/list_record.h \
	%D%/list_set.c %D%/list_set.h \
	%D%/list_tail.c %D%/list_tail.h \
	%D%/list_tails.c %D%/list_tails.h \
	%D%/list_types.h \
	%D%/list_where.h
librk_list_a_CFLAGS = $(AM_CFLAGS) $(URCU_CFLAGS)
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_LIST_LIBS = librk_list.a librk_keydir.a librk_disk.a librk_grace.a librk_shm.a librk_base.a
