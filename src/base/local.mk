# base: knows nothing of RackKV
noinst_LIBRARIES += librk_base.a
librk_base_a_SOURCES = \
	%D%/base_cgroup.c %D%/base_cgroup.h \
	%D%/base_machine.c %D%/base_machine.h \
	%D%/base_assert.c %D%/base_assert.h \
	%D%/base_bytes.h \
	%D%/base_crc.c %D%/base_crc.h \
	%D%/base_detail.c %D%/base_detail.h \
	%D%/base_diag.c %D%/base_diag.h \
	%D%/base_diag_file.c %D%/base_diag_file.h \
	%D%/base_err.c %D%/base_err.h \
	%D%/base_io.c %D%/base_io.h \
	%D%/base_mem.c %D%/base_mem.h \
	%D%/base_open.c %D%/base_open.h \
	%D%/base_pulse.c %D%/base_pulse.h \
	%D%/base_sched.c %D%/base_sched.h \
	%D%/base_path.c %D%/base_path.h \
	%D%/base_pid_file.c %D%/base_pid_file.h \
	%D%/base_start_lock.c %D%/base_start_lock.h \
	%D%/base_stdio.c %D%/base_stdio.h \
	%D%/base_thread.c %D%/base_thread.h \
	%D%/base_planted.h \
	%D%/base_plural.h \
	%D%/base_suggest.c %D%/base_suggest.h \
	%D%/base_time.c %D%/base_time.h \
	%D%/base_unix.c %D%/base_unix.h
