# compactor: when to merge, how fast, and who asks
noinst_LIBRARIES += librk_compactor.a
librk_compactor_a_SOURCES = \
	%D%/compactor.c %D%/compactor.h \
	%D%/compactor_ask.c \
	%D%/compactor_gate.c %D%/compactor_gate.h \
	%D%/compactor_hooks.c \
	%D%/compactor_kept.c %D%/compactor_kept.h \
	%D%/compactor_look.c \
	%D%/compactor_pace.c \
	%D%/compactor_rescue.c \
	%D%/compactor_state.c %D%/compactor_state.h \
	%D%/compactor_survey.c
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_COMPACTOR_LIBS = librk_compactor.a librk_merge.a librk_expire.a $(RK_WRITER_LIBS)
