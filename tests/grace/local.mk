# tests of src/grace
check_PROGRAMS += check_grace check_grace_process
check_grace_SOURCES = %D%/check_grace.c %D%/test_grace.c %D%/test_grace.h
check_grace_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_grace_LDADD = librk_test.a librk_grace_writer.a librk_grace.a librk_base.a $(CHECK_LIBS) $(URCU_LIBS)
check_grace_process_SOURCES = %D%/check_grace_process.c %D%/test_grace.c %D%/test_grace.h
check_grace_process_CFLAGS = $(check_grace_CFLAGS)
check_grace_process_LDADD = $(check_grace_LDADD)

# The model of the protocol; the sanitizers have nothing to say about it.
EXTRA_DIST += %D%/model/grace.pml %D%/model/check_grace_model.sh
if !ASAN
if !TSAN
TESTS += %D%/model/check_grace_model.sh
endif
endif

# The torture, and the same with each planted bug, which must turn it red.
check_PROGRAMS += grace_torture
grace_torture_SOURCES = %D%/grace_torture.c %D%/torture_arena.c %D%/torture_arena.h
grace_torture_LDADD = librk_grace_writer.a librk_grace.a librk_base.a $(URCU_LIBS)

planted_grace_sources = $(grace_torture_SOURCES) src/grace/grace_agent.c src/grace/grace_futex.c \
	src/grace/grace_standin.c src/grace/grace_writer.c
planted_grace_cppflags = -I$(top_srcdir)/src
planted_grace_programs = grace_torture_free_without_grace$(EXEEXT) grace_torture_dead_slot_not_cleared$(EXEEXT) \
	grace_torture_lost_wakeup$(EXEEXT)
EXTRA_PROGRAMS += grace_torture_free_without_grace grace_torture_dead_slot_not_cleared grace_torture_lost_wakeup
CLEANFILES += $(planted_grace_programs)
grace_torture_free_without_grace_SOURCES = $(planted_grace_sources)
grace_torture_free_without_grace_CPPFLAGS = $(planted_grace_cppflags) -DRK_PLANTED_BUG=free_without_grace
grace_torture_free_without_grace_LDADD = librk_base.a $(URCU_LIBS)
grace_torture_dead_slot_not_cleared_SOURCES = $(planted_grace_sources)
grace_torture_dead_slot_not_cleared_CPPFLAGS = $(planted_grace_cppflags) -DRK_PLANTED_BUG=dead_slot_not_cleared
grace_torture_dead_slot_not_cleared_LDADD = librk_base.a $(URCU_LIBS)
grace_torture_lost_wakeup_SOURCES = $(planted_grace_sources)
grace_torture_lost_wakeup_CPPFLAGS = $(planted_grace_cppflags) -DRK_PLANTED_BUG=lost_wakeup
grace_torture_lost_wakeup_LDADD = librk_base.a $(URCU_LIBS)
dist_check_SCRIPTS += %D%/check_grace_planted.sh
planted_grace_log = %D%/check_grace_planted.sh.log
$(planted_grace_log): $(planted_grace_programs)

# Part of make torture TIME=600: seconds for each form.
torture: torture-grace
torture-grace: grace_torture$(EXEEXT)
	RK_TORTURE_SECONDS=$(TIME) ./grace_torture$(EXEEXT)
