# crash: what a power failure, a killed process or damage leaves of a store. The head of each program says what can be asked
# of it; tests/planted/check_planted.sh shows that it can fail.
if !TSAN
check_PROGRAMS += check_crash
endif
check_crash_SOURCES = %D%/check_crash.c \
	%D%/sim_crew.c %D%/sim_crew.h \
	%D%/sim_disk.c %D%/sim_disk.h \
	%D%/sim_fixed.c %D%/sim_fixed.h \
	%D%/sim_history.c %D%/sim_history.h \
	%D%/sim_image.c %D%/sim_image.h \
	%D%/sim_keys.c %D%/sim_keys.h \
	%D%/sim_memory.c %D%/sim_memory.h \
	%D%/sim_record.c %D%/sim_record.h \
	%D%/sim_replay.c %D%/sim_replay.h \
	%D%/sim_script.c %D%/sim_script.h \
	%D%/sim_trace.h
check_crash_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_crash_LDADD = librk_test.a $(RK_ENGINE_LIBS) \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
if !TSAN
check_PROGRAMS += check_damage
endif
check_damage_SOURCES = %D%/check_damage.c \
	%D%/damage_bed.c %D%/damage_bed.h \
	%D%/sim_crew.c %D%/sim_crew.h \
	%D%/sim_disk.c %D%/sim_disk.h \
	%D%/sim_fixed.c %D%/sim_fixed.h \
	%D%/sim_history.c %D%/sim_history.h \
	%D%/sim_image.c %D%/sim_image.h \
	%D%/sim_keys.c %D%/sim_keys.h \
	%D%/sim_memory.c %D%/sim_memory.h \
	%D%/sim_record.c %D%/sim_record.h \
	%D%/sim_script.c %D%/sim_script.h \
	%D%/sim_trace.h
check_damage_CFLAGS = $(check_crash_CFLAGS)
check_damage_LDADD = $(check_crash_LDADD)

check-long: check-long-damage check-long-crash
check-long-damage: check_damage$(EXEEXT)
	RK_DAMAGE_GARBAGE=10000000 RK_DAMAGE_LARGE_STRIDE=1 ./check_damage$(EXEEXT)
check-long-crash: check_crash$(EXEEXT)
	RK_CRASH_ROUNDS=10 ./check_crash$(EXEEXT)
	RK_CRASH_VARIANTS=100 RK_CRASH_RECOVERIES=200 ./check_crash$(EXEEXT)
