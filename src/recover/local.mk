# recover: from files to a keydir
noinst_LIBRARIES += librk_recover.a
librk_recover_a_SOURCES = \
	%D%/recover.c %D%/recover.h \
	%D%/recover_build.c %D%/recover_build.h \
	%D%/recover_crew.c %D%/recover_crew.h \
	%D%/recover_newest.c %D%/recover_newest.h \
	%D%/recover_plan.c %D%/recover_plan.h \
	%D%/recover_read.c %D%/recover_read.h \
	%D%/recover_repair.c %D%/recover_repair.h \
	%D%/recover_scatter.c %D%/recover_scatter.h
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_RECOVER_LIBS = librk_recover.a librk_space.a $(RK_LOG_LIBS) $(RK_KEYDIR_LIBS)
# Everything that reads and writes a store without a server around it: for simulators and benchmarks.
RK_ENGINE_LIBS = librk_recover.a $(RK_COMPACTOR_LIBS)
