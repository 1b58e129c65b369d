/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows that run inside, between clone3 and exec. Internal to launcher/; child.c has the table
 * and the theory. */
#ifndef CORDON_LAUNCHER_CHILD_H
#define CORDON_LAUNCHER_CHILD_H

#include "launcher/launch.h"

/* The one typedef: a function type, so that the rows below are declared by their names alone. */
typedef int child_fn(struct launch *launch, struct err *err);

/* child_setup.c: the setup process, with all capabilities in the sandbox's own user namespace */
child_fn child_setup_ids, child_parent_death_signal, child_verify_parent_death_signal,
	child_session, child_private_mounts, child_sources, child_loopback, child_hostname,
	child_root, child_system, child_etc, child_dev, child_proc, child_forbid_userns,
	child_verify_forbid_userns, child_kernel_paths, child_volumes, child_secrets,
	child_verify_secrets, child_protected, child_verify_protected, child_seal,
	child_verify_seal, child_pivot, child_old_root, child_verify_old_root,
	child_cgroup_namespace, child_scheduling, child_bounding_set, child_kernel_quotas,
	child_verify_kernel_quotas;

/* child_workload.c: the process that becomes the workload */
child_fn child_signals, child_process_group, child_rlimits, child_verify_rlimits, child_nproc,
	child_verify_nproc, child_identity, child_keyring, child_capabilities,
	child_verify_capabilities, child_no_new_privs, child_verify_no_new_privs, child_descriptors,
	child_verify_descriptors, child_working_dir, child_verify_working_dir, child_program,
	child_seccomp;

/* child.c: what the processes of enter_child.c have in common with it. */
int must_check child_take_ends(struct launch *launch, struct err *err);
int must_check child_wait_for(const struct launch *launch, enum sync_point point, struct err *err);
int must_check child_run_rows(struct launch *launch, enum child_row first, enum child_row end,
			      struct err *err);
_Noreturn void child_give_up(const struct launch *launch, const struct err *err);
int child_workload_main(void *arg);

/* Parts of rows that init and the monitor take, too. */
int must_check child_drop_bounding_set(struct err *err);
int must_check child_become(const struct launch *launch, uint32_t uid, uint32_t gid,
			    struct err *err);
int must_check child_drop_capabilities(struct err *err);

/* Executes init's image in the setup process, whose memory the workload's process shares until
 * then. Returns only on failure. */
int must_check child_become_init(struct launch *launch, struct err *err);

/* Executes the program, under the workload's filter. Returns only on failure. */
int must_check child_execute(struct launch *launch, struct err *err);

#endif
