# store: where keydir and log meet
noinst_LIBRARIES += librk_store.a librk_store_writer.a
librk_store_a_SOURCES = \
	%D%/store_client.c %D%/store_client.h %D%/store_client_get.c %D%/store_client_private.h \
	%D%/store_files.c %D%/store_files.h \
	%D%/store_readers.c %D%/store_readers.h \
	%D%/store_types.h
librk_store_writer_a_SOURCES = \
	%D%/store_batch_writer.c %D%/store_batch_writer.h \
	%D%/store_calls_writer.c %D%/store_calls_writer.h \
	%D%/store_clock.c %D%/store_clock.h \
	%D%/store_compactor_ask_writer.c \
	%D%/store_compactor_expire_writer.c \
	%D%/store_compactor_files_writer.c \
	%D%/store_compactor_pace_writer.c \
	%D%/store_compactor_private.h \
	%D%/store_compactor_rescue_writer.c \
	%D%/store_compactor_writer.c %D%/store_compactor_writer.h \
	%D%/store_crew_writer.c %D%/store_crew_writer.h \
	%D%/store_expire_writer.c %D%/store_expire_writer.h \
	%D%/store_gate_writer.c %D%/store_gate_writer.h \
	%D%/store_hinter_writer.c %D%/store_hinter_writer.h \
	%D%/store_kept_writer.c %D%/store_kept_writer.h \
	%D%/store_merge_private.h \
	%D%/store_merge_remove_writer.c \
	%D%/store_merge_settle_writer.c \
	%D%/store_merge_source_writer.c %D%/store_merge_source_writer.h \
	%D%/store_merge_writer.c %D%/store_merge_writer.h \
	%D%/store_moves_writer.c %D%/store_moves_writer.h \
	%D%/store_policy.c %D%/store_policy.h \
	%D%/store_newest_writer.c %D%/store_newest_writer.h \
	%D%/store_punch_writer.c %D%/store_punch_writer.h \
	%D%/store_rescue.c %D%/store_rescue.h \
	%D%/store_recover_build_writer.c %D%/store_recover_build_writer.h \
	%D%/store_recover_plan_writer.c %D%/store_recover_plan_writer.h \
	%D%/store_recover_read_writer.c %D%/store_recover_read_writer.h \
	%D%/store_recover_repair_writer.c %D%/store_recover_repair_writer.h \
	%D%/store_recover_writer.c %D%/store_recover_writer.h \
	%D%/store_scatter_writer.c %D%/store_scatter_writer.h \
	%D%/store_space_writer.c %D%/store_space_writer.h \
	%D%/store_writer.c %D%/store_writer.h
