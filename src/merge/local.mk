# merge: one merge of data files, and which files it should take
noinst_LIBRARIES += librk_merge.a
librk_merge_a_SOURCES = \
	%D%/merge.c %D%/merge.h \
	%D%/merge_plan.c \
	%D%/merge_policy.c %D%/merge_policy.h \
	%D%/merge_private.h \
	%D%/merge_punch.c %D%/merge_punch.h \
	%D%/merge_remove.c \
	%D%/merge_rescue.c %D%/merge_rescue.h \
	%D%/merge_room.c \
	%D%/merge_settle.c \
	%D%/merge_source.c %D%/merge_source.h \
	%D%/merge_turn.c
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_MERGE_LIBS = librk_merge.a librk_space.a $(RK_LOG_LIBS) $(RK_KEYDIR_LIBS)
