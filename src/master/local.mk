# master: the process that owns
noinst_LIBRARIES += librk_master.a
librk_master_a_SOURCES = \
	%D%/master.c %D%/master.h \
	%D%/master_control.c %D%/master_control.h \
	%D%/master_engine.c %D%/master_engine.h \
	%D%/master_late.c %D%/master_late.h \
	%D%/master_listeners.c %D%/master_listeners.h \
	%D%/master_recovery.c %D%/master_recovery.h \
	%D%/master_limits.c %D%/master_limits.h \
	%D%/master_pid_file.c %D%/master_pid_file.h \
	%D%/master_probe.c %D%/master_probe.h \
	%D%/master_probe_listen.c %D%/master_probe_listen.h \
	%D%/master_serving.c %D%/master_serving.h \
	%D%/master_settle.c %D%/master_settle.h \
	%D%/master_signals.c %D%/master_signals.h \
	%D%/master_single.c %D%/master_single.h \
	%D%/master_spawn.c %D%/master_spawn.h \
	%D%/master_state.c %D%/master_state.h \
	%D%/master_worker_start.c %D%/master_worker_start.h \
	%D%/master_workers.c %D%/master_workers.h
