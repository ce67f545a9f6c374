# tests of the whole: real programs over real sockets and files
SYSTEM_SUPPORT = %D%/system_client.c %D%/system_client.h %D%/system_ctl.c %D%/system_ctl.h %D%/system_port.c %D%/system_port.h \
	%D%/system_server.c %D%/system_server.h
SYSTEM_DISK = %D%/system_disk.c %D%/system_disk.h
SYSTEM_STORE = %D%/system_store.c %D%/system_store.h
SYSTEM_TRACER = %D%/system_tracer.c %D%/system_tracer.h
SYSTEM_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support -I$(top_srcdir)/tests/system
SYSTEM_LDADD = librk_test.a $(CHECK_LIBS)

# The thread sanitizer's build is for the shared structures, which run there as threads (tests/keydir, grace, ring).
if !TSAN
# The longest begins first.
check_PROGRAMS += check_system_script
check_PROGRAMS += check_system_basic
check_PROGRAMS += check_system_crash
check_PROGRAMS += check_system_damage
check_PROGRAMS += check_system_descriptors
check_PROGRAMS += check_system_expire
check_PROGRAMS += check_system_faults
check_PROGRAMS += check_system_full
check_PROGRAMS += check_system_hot_key
check_PROGRAMS += check_system_input
check_PROGRAMS += check_system_kill
check_PROGRAMS += check_system_load
check_PROGRAMS += check_system_lost
check_PROGRAMS += check_system_memory
check_PROGRAMS += check_system_merge
check_PROGRAMS += check_system_many_keys
check_PROGRAMS += check_system_names
check_PROGRAMS += check_system_one_key
check_PROGRAMS += check_system_one_key_all
check_PROGRAMS += check_system_original
check_PROGRAMS += check_system_settings
check_PROGRAMS += check_system_space
check_PROGRAMS += check_system_space_shown
check_PROGRAMS += check_system_start
check_PROGRAMS += check_system_stuck
check_PROGRAMS += check_system_uploads
dist_check_SCRIPTS += %D%/check_proxies.sh
dist_check_SCRIPTS += %D%/check_readme.sh
dist_check_SCRIPTS += %D%/check_system_cli.sh
dist_check_SCRIPTS += %D%/check_system_ctl.sh
dist_check_SCRIPTS += %D%/check_system_daemon.sh
dist_check_SCRIPTS += %D%/check_system_list.sh
dist_check_SCRIPTS += %D%/check_system_model.sh
dist_check_SCRIPTS += %D%/check_system_output.sh
dist_check_SCRIPTS += %D%/check_system_python.sh
dist_check_SCRIPTS += %D%/check_system_settings.sh
dist_check_SCRIPTS += %D%/check_system_tools.sh
endif
EXTRA_DIST += %D%/system_proxies.sh %D%/system_script.sh doc/proxies.md
EXTRA_DIST += %D%/system_fetch.mjs %D%/system_http_client.py %D%/system_ycsb.py
check_system_basic_SOURCES = %D%/check_system_basic.c $(SYSTEM_SUPPORT)
check_system_basic_CFLAGS = $(SYSTEM_CFLAGS)
check_system_basic_LDADD = $(SYSTEM_LDADD)
check_system_crash_SOURCES = %D%/check_system_crash.c $(SYSTEM_SUPPORT)
check_system_crash_CFLAGS = $(SYSTEM_CFLAGS)
check_system_crash_LDADD = $(SYSTEM_LDADD)
check_system_descriptors_SOURCES = %D%/check_system_descriptors.c $(SYSTEM_SUPPORT)
check_system_descriptors_CFLAGS = $(SYSTEM_CFLAGS) $(JANSSON_CFLAGS)
check_system_descriptors_LDADD = $(SYSTEM_LDADD) $(JANSSON_LIBS)
check_system_expire_SOURCES = %D%/check_system_expire.c $(SYSTEM_STORE) $(SYSTEM_SUPPORT)
check_system_expire_CFLAGS = $(SYSTEM_CFLAGS) $(JANSSON_CFLAGS)
check_system_expire_LDADD = librk_test.a $(RK_LOG_LIBS) \
	$(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS) $(JANSSON_LIBS)
check_system_faults_SOURCES = %D%/check_system_faults.c $(SYSTEM_TRACER) $(SYSTEM_SUPPORT)
check_system_faults_CFLAGS = $(SYSTEM_CFLAGS)
check_system_faults_LDADD = $(SYSTEM_LDADD)
check_system_full_SOURCES = %D%/check_system_full.c $(SYSTEM_DISK) $(SYSTEM_SUPPORT)
check_system_full_CFLAGS = $(SYSTEM_CFLAGS)
check_system_full_LDADD = $(SYSTEM_LDADD)
check_system_space_SOURCES = %D%/check_system_space.c $(SYSTEM_DISK) $(SYSTEM_SUPPORT)
check_system_space_CFLAGS = $(SYSTEM_CFLAGS)
check_system_space_LDADD = $(SYSTEM_LDADD)
check_system_space_shown_SOURCES = %D%/check_system_space_shown.c $(SYSTEM_DISK) $(SYSTEM_SUPPORT)
check_system_space_shown_CFLAGS = $(SYSTEM_CFLAGS)
check_system_space_shown_LDADD = $(SYSTEM_LDADD)
check_system_damage_SOURCES = %D%/check_system_damage.c $(SYSTEM_SUPPORT)
check_system_damage_CFLAGS = $(SYSTEM_CFLAGS)
check_system_damage_LDADD = $(SYSTEM_LDADD)
check_system_lost_SOURCES = %D%/check_system_lost.c $(SYSTEM_SUPPORT)
check_system_lost_CFLAGS = $(SYSTEM_CFLAGS)
check_system_lost_LDADD = $(SYSTEM_LDADD)
check_system_kill_SOURCES = %D%/check_system_kill.c $(SYSTEM_TRACER) $(SYSTEM_SUPPORT)
check_system_kill_CFLAGS = $(SYSTEM_CFLAGS)
check_system_kill_LDADD = $(SYSTEM_LDADD)
check_system_many_keys_SOURCES = %D%/check_system_many_keys.c %D%/system_rows.c %D%/system_rows.h $(SYSTEM_SUPPORT)
check_system_many_keys_CFLAGS = $(SYSTEM_CFLAGS)
check_system_many_keys_LDADD = $(SYSTEM_LDADD)
check_system_one_key_SOURCES = %D%/check_system_one_key.c %D%/system_rows.c %D%/system_rows.h $(SYSTEM_SUPPORT)
check_system_one_key_CFLAGS = $(SYSTEM_CFLAGS)
check_system_one_key_LDADD = $(SYSTEM_LDADD)
check_system_hot_key_SOURCES = %D%/check_system_hot_key.c $(SYSTEM_TRACER) $(SYSTEM_SUPPORT)
check_system_hot_key_CFLAGS = $(SYSTEM_CFLAGS)
check_system_hot_key_LDADD = $(SYSTEM_LDADD)
check_system_one_key_all_SOURCES = %D%/check_system_one_key_all.c %D%/system_rows.c %D%/system_rows.h $(SYSTEM_SUPPORT)
check_system_one_key_all_CFLAGS = $(SYSTEM_CFLAGS)
check_system_one_key_all_LDADD = $(SYSTEM_LDADD)
check_system_original_SOURCES = %D%/check_system_original.c $(SYSTEM_SUPPORT)
check_system_original_CFLAGS = $(SYSTEM_CFLAGS)
check_system_original_LDADD = $(SYSTEM_LDADD)
check_system_input_SOURCES = %D%/check_system_input.c $(SYSTEM_SUPPORT)
check_system_input_CFLAGS = $(SYSTEM_CFLAGS)
check_system_input_LDADD = $(SYSTEM_LDADD)
check_system_names_SOURCES = %D%/check_system_names.c $(SYSTEM_SUPPORT)
check_system_names_CFLAGS = $(SYSTEM_CFLAGS)
check_system_names_LDADD = $(SYSTEM_LDADD)
check_system_start_SOURCES = %D%/check_system_start.c $(SYSTEM_SUPPORT)
check_system_start_CFLAGS = $(SYSTEM_CFLAGS)
check_system_start_LDADD = $(SYSTEM_LDADD)
check_system_stuck_SOURCES = %D%/check_system_stuck.c $(SYSTEM_SUPPORT)
check_system_stuck_CFLAGS = $(SYSTEM_CFLAGS) $(JANSSON_CFLAGS)
check_system_stuck_LDADD = $(SYSTEM_LDADD) $(JANSSON_LIBS)
check_system_load_SOURCES = %D%/check_system_load.c $(SYSTEM_SUPPORT)
check_system_load_CFLAGS = $(SYSTEM_CFLAGS)
check_system_load_LDADD = $(SYSTEM_LDADD)
check_system_uploads_SOURCES = %D%/check_system_uploads.c $(SYSTEM_SUPPORT)
check_system_uploads_CFLAGS = $(SYSTEM_CFLAGS)
check_system_uploads_LDADD = $(SYSTEM_LDADD)
check_system_merge_SOURCES = %D%/check_system_merge.c $(SYSTEM_SUPPORT)
check_system_merge_CFLAGS = $(SYSTEM_CFLAGS)
check_system_merge_LDADD = $(SYSTEM_LDADD)
check_system_memory_SOURCES = %D%/check_system_memory.c $(SYSTEM_STORE) $(SYSTEM_SUPPORT)
check_system_memory_CFLAGS = $(check_system_expire_CFLAGS)
check_system_memory_LDADD = $(check_system_expire_LDADD)
check_system_settings_SOURCES = %D%/check_system_settings.c $(SYSTEM_SUPPORT)
check_system_settings_CFLAGS = $(SYSTEM_CFLAGS)
check_system_settings_LDADD = librk_test.a librk_conf.a librk_base.a $(CHECK_LIBS) $(YAML_LIBS)
check_system_script_SOURCES = %D%/check_system_script.c %D%/system_counter.c %D%/system_counter.h $(SYSTEM_SUPPORT)
check_system_script_CFLAGS = $(SYSTEM_CFLAGS)
check_system_script_LDADD = $(SYSTEM_LDADD)

# A load that is held for ten minutes, not for ten seconds; RK_LOAD_SECONDS=28800 for a night.
check-long: check-long-load
check-long-load: check_system_load$(EXEEXT) rackkvd$(EXEEXT)
	RK_LOAD_SECONDS=$${RK_LOAD_SECONDS:-600} ./check_system_load$(EXEEXT)

# More clients than descriptors, for ten minutes.
check-long: check-long-faults
check-long-faults: check_system_faults$(EXEEXT) rackkvd$(EXEEXT)
	RK_LONG=1 CK_RUN_CASE=descriptors ./check_system_faults$(EXEEXT)

# A master is killed at each of its calls with twenty scripts, and a worker at each of its calls fifty times.
check-long: check-long-kill
check-long-kill: check_system_kill$(EXEEXT) check_system_script$(EXEEXT) rackkvd$(EXEEXT)
	RK_LONG=1 ./check_system_script$(EXEEXT)
	RK_LONG=1 ./check_system_kill$(EXEEXT)

# space: what is dead does not stay on the disk. 100,000 keys in each run without a sanitizer, for which it is too much
# traffic; five millions in make check-long.
N_KEYS = 5000000
if !TSAN
if ASAN
EXTRA_PROGRAMS += check_system_footprint
else
check_PROGRAMS += check_system_footprint
endif
endif
CLEANFILES += check_system_footprint$(EXEEXT)
check_system_footprint_SOURCES = %D%/check_system_footprint.c %D%/footprint_load.c %D%/footprint_load.h $(SYSTEM_SUPPORT)
check_system_footprint_CFLAGS = $(SYSTEM_CFLAGS)
check_system_footprint_LDADD = $(SYSTEM_LDADD)

check-long: check-long-space
check-long-space: check_system_footprint$(EXEEXT) rackkvd$(EXEEXT) rackkvctl$(EXEEXT)
	N_KEYS=$(N_KEYS) ./check_system_footprint$(EXEEXT)

# The disk that was full for good once, on real file systems.
EXTRA_PROGRAMS += check_system_rescue
CLEANFILES += check_system_rescue$(EXEEXT)
check_system_rescue_SOURCES = %D%/check_system_rescue.c $(SYSTEM_DISK) $(SYSTEM_SUPPORT)
check_system_rescue_CFLAGS = $(SYSTEM_CFLAGS)
check_system_rescue_LDADD = $(SYSTEM_LDADD)

check-long: check-long-rescue
check-long-rescue: check_system_rescue$(EXEEXT) rackkvd$(EXEEXT)
	./check_system_rescue$(EXEEXT)

# A wall clock that the model sets, for LD_PRELOAD.
EXTRA_DIST += %D%/system_clock.c
check_DATA = system_clock.so
CLEANFILES += system_clock.so
system_clock.so: $(srcdir)/%D%/system_clock.c
	$(AM_V_CC)$(CC) -std=gnu11 -O2 -Wall -Wextra -fPIC -shared -o $@ $(srcdir)/%D%/system_clock.c

EXTRA_DIST += %D%/system_model.py %D%/system_list.py
check-long: check-long-model
check-long-model: rackkvd$(EXEEXT) system_clock.so
	RK_MODEL_OPERATIONS=1000000 RK_MODEL_RESTARTS=100 $(srcdir)/%D%/check_system_model.sh

check-long: check-long-list
check-long-list: rackkvd$(EXEEXT)
	RK_LIST_LISTINGS=1000 RK_LIST_RESTARTS=50 $(srcdir)/%D%/check_system_list.sh
