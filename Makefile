# SPDX-License-Identifier: LGPL-2.1-or-later
# cordon: `make help` lists the targets. Every source is named here: a stray file never joins the program.

VARIANT ?= release
CC      ?= gcc
PREFIX  ?= /usr/local
DESTDIR ?=
O       := build/$(VARIANT)

# ---- sources, by layer (see docs/ARCHITECTURE.md; tests/lint/layers checks the includes) ----
BASE_SRC     := base/arena.c base/err.c base/io.c base/json.c base/json_read.c base/parse.c base/path.c base/str.c base/sync.c base/sys.c \
	base/own_dir.c \
	base/pairs.c \
	base/passing.c \
	base/whole_file.c \
	base/program.c \
	base/texts.c
POLICY_SRC   := \
	policy/bpf.c policy/constants.c policy/ceiling.c policy/ctx.c policy/digest.c policy/doc.c \
	policy/docker.c policy/docker_condition.c policy/docker_when.c policy/filter.c \
	policy/filter_second.c \
	policy/flags.c \
	policy/flags_docker.c \
	policy/flags_file.c \
	policy/flags_limits.c \
	policy/flags_network.c \
	policy/flags_volume.c \
	policy/forms.c \
	policy/image.c \
	policy/resolve_architectures.c \
	policy/resolve_network.c \
	policy/resolve_publish.c \
	policy/resolve_egress.c \
	policy/resolve_traffic.c \
	policy/resolve_supervision.c \
	policy/filter_action.c policy/filter_deny.c policy/filter_docker.c policy/filter_entry.c policy/filter_warn.c policy/json_doc.c policy/groups.c policy/groups_systemd.c \
	policy/keys.c policy/keys_check.c policy/keys_text.c policy/layers.c policy/merge.c policy/paths.c policy/problems.c \
	policy/provenance.c policy/resolve.c policy/resolve_apparmor.c policy/resolve_identity.c policy/resolve_landlock.c \
	policy/resolve_limits.c \
	policy/resolve_mounts.c \
	policy/resolve_process.c policy/resolve_protected.c policy/resolve_seccomp.c policy/resolve_secrets.c policy/resolve_values.c policy/seccomp.c policy/seccomp_answer.c \
	policy/shipped.c policy/syscalls.c policy/waivers.c policy/yaml.c
PROFILES     := agent base build default judge net-service strict
ROOTFS_SRC   := \
	rootfs/accounts.c rootfs/apply.c rootfs/fill.c rootfs/fs.c rootfs/layers.c rootfs/protect.c rootfs/root.c rootfs/secrets.c rootfs/tree.c \
	rootfs/upper.c rootfs/volume.c
CGROUP_SRC   := \
	cgroup/change.c \
	cgroup/enter.c \
	cgroup/freeze.c \
	cgroup/group.c \
	cgroup/leaf.c \
	cgroup/memory.c \
	cgroup/mounts.c \
	cgroup/place.c \
	cgroup/probe.c \
	cgroup/table.c \
	cgroup/usage.c
STORAGE_SRC  := \
	storage/held.c \
	storage/list.c \
	storage/lookup.c \
	storage/object.c \
	storage/image_record.c \
	storage/quota_directory.c \
	storage/quota_image.c \
	storage/quota_layer.c \
	storage/quota_program.c \
	storage/quota_project.c \
	storage/quota_template.c \
	storage/ref.c \
	storage/store.c \
	storage/sweep.c \
	storage/volume.c \
	storage/volumes.c \
	storage/volumes_fill.c \
	storage/volumes_gate.c \
	storage/volumes_image.c \
	storage/volumes_project.c \
	storage/volumes_use.c \
	storage/work.c
NET_SRC      := \
	net/address.c \
	net/answer.c \
	net/book.c \
	net/book_store.c \
	net/bridge.c \
	net/bridge_rates.c \
	net/dns.c \
	net/endpoint.c \
	net/foreign.c \
	net/forward.c \
	net/hosts.c \
	net/lease.c \
	net/members.c \
	net/links.c \
	net/names.c \
	net/offers.c \
	net/link.c \
	net/link_read.c \
	net/netlink.c \
	net/netlink_message.c \
	net/network.c \
	net/nft.c \
	net/nft_list.c \
	net/egress.c \
	net/egress_chain.c \
	net/egress_denials.c \
	net/egress_forget.c \
	net/egress_list.c \
	net/nft_message.c \
	net/nft_rules.c \
	net/nft_set.c \
	net/nft_value.c \
	net/publish.c \
	net/qdisc.c \
	net/shape.c \
	net/shape_network.c \
	net/socket_owner.c \
	net/store.c
LAUNCHER_SRC := \
	launcher/apparmor.c \
	launcher/child.c \
	launcher/child_setup.c \
	launcher/child_program.c \
	launcher/child_workload.c \
	launcher/confined.c \
	launcher/decide.c \
	launcher/denials.c \
	launcher/enter.c \
	launcher/enter_child.c \
	launcher/grow.c \
	launcher/visit.c \
	launcher/facts.c \
	launcher/fault.c \
	launcher/host_sources.c \
	launcher/host_steps.c \
	launcher/identity.c \
	launcher/ids.c \
	launcher/images.c \
	launcher/keyring.c \
	launcher/landlock.c \
	launcher/layer.c \
	launcher/landlock_child.c \
	launcher/landlock_places.c \
	launcher/limits.c \
	launcher/limits_text.c \
	launcher/network.c \
	launcher/network_files.c \
	launcher/network_links.c \
	launcher/network_shared.c \
	launcher/output.c \
	launcher/attach.c \
	launcher/recorder.c \
	launcher/admission.c \
	launcher/reach.c \
	launcher/relay.c \
	launcher/resolver.c \
	launcher/resolver_upstreams.c \
	launcher/supervise_output.c \
	launcher/supervise_stop.c \
	launcher/stores.c \
	launcher/traffic.c \
	launcher/upper.c \
	launcher/volumes.c \
	launcher/preflight_limits.c \
	launcher/placeholders.c \
	launcher/access.c \
	launcher/audit.c \
	launcher/audit_record.c \
	launcher/host_files.c \
	launcher/host_proc.c \
	launcher/policy_files.c \
	launcher/plan.c launcher/policy_host.c launcher/preflight.c launcher/preflight_lsm.c launcher/prepare.c launcher/protected.c \
	launcher/readback.c launcher/result.c launcher/run.c \
	launcher/scope.c \
	launcher/secrets.c launcher/sources.c launcher/spawn.c \
	launcher/state.c \
	launcher/state_boot.c \
	launcher/stdio.c launcher/supervise.c launcher/terminal.c launcher/terminal_child.c
CMD_SRC      := cmd/advice.c cmd/commands.c cmd/condition.c cmd/denials.c cmd/doctor.c cmd/doctor_groups.c cmd/document.c \
	cmd/create.c \
	cmd/inspect.c \
	cmd/inspect_json.c \
	cmd/list_options.c \
	cmd/look.c \
	cmd/look_json.c \
	cmd/page.c \
	cmd/ps.c \
	cmd/ps_filter.c \
	cmd/ps_print.c \
	cmd/ps_table.c \
	cmd/template.c \
	cmd/ending.c \
	cmd/image.c \
	cmd/image_list.c \
	cmd/exec.c \
	cmd/commit.c \
	cmd/commit_edits.c \
	cmd/commit_said.c \
	cmd/copy_rules.c \
	cmd/cp.c \
	cmd/diff.c \
	cmd/helper.c \
	cmd/export.c \
	cmd/inside.c \
	cmd/inside_stopped.c \
	cmd/transfer.c \
	cmd/kept.c \
	cmd/events.c \
	cmd/fill.c \
	cmd/moment.c \
	cmd/network.c \
	cmd/network_connect.c \
	cmd/network_create.c \
	cmd/network_list.c \
	cmd/network_live.c \
	cmd/network_rates.c \
	cmd/volume.c \
	cmd/volume_copy.c \
	cmd/volume_create.c \
	cmd/volume_freeze.c \
	cmd/volumes_from.c \
	cmd/volume_list.c \
	cmd/own_flags.c \
	cmd/port.c \
	cmd/ports.c \
	cmd/processes.c \
	cmd/stats.c \
	cmd/usage.c \
	cmd/update.c \
	cmd/update_apply.c \
	cmd/life.c \
	cmd/life_end.c \
	cmd/life_pause.c \
	cmd/life_remove.c \
	cmd/life_restart.c \
	cmd/words.c \
	cmd/attach.c \
	cmd/attached.c \
	cmd/detach_keys.c \
	cmd/docker.c \
	cmd/logs.c \
	cmd/logs_lines.c \
	cmd/explain.c cmd/explain_calls.c cmd/explain_json.c cmd/explain_limits.c cmd/gc.c cmd/main.c \
	cmd/options.c \
	cmd/options_image.c \
	cmd/options_later.c \
	cmd/options_table.c \
	cmd/print.c cmd/profile.c cmd/profile_diff.c cmd/profile_keys.c cmd/profile_new.c cmd/report.c cmd/request.c cmd/run.c \
	cmd/table.c \
	cmd/top.c \
	cmd/verdict.c cmd/visible.c
RECORDS_SRC := \
	records/create.c \
	records/fields.c \
	records/events.c \
	records/events_read.c \
	records/fresh.c \
	records/gc.c \
	records/keep.c \
	records/attach.c \
	records/keeper.c \
	records/leave.c \
	records/links.c \
	records/logs.c \
	records/names.c \
	records/record.c \
	records/restart.c \
	records/status.c \
	records/status_files.c \
	records/store.c \
	records/target.c
LIB_SRC := $(BASE_SRC) $(POLICY_SRC) $(ROOTFS_SRC) $(CGROUP_SRC) $(STORAGE_SRC) $(NET_SRC) $(LAUNCHER_SRC) $(RECORDS_SRC)
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o) $(O)/launcher/init_image.o $(O)/launcher/monitor_image.o \
	$(O)/launcher/notifier_image.o \
	$(O)/launcher/auditor_image.o \
	$(O)/launcher/recorder_image.o \
	$(O)/launcher/relay_image.o \
	$(O)/launcher/resolver_image.o
CMD_OBJ := $(CMD_SRC:%.c=$(O)/%.o)

# Asks systemd for a group (libexec/scope.c). A program of its own: cordon is linked with nothing of systemd's. Only where
# libsystemd-dev is installed.
HAS_SYSTEMD  := $(wildcard /usr/include/systemd/sd-bus.h)
SCOPE        := $(if $(HAS_SYSTEMD),$(O)/cordon-scope)

# Keeps images (libexec/image/): likewise a program of its own, with what reads archives, JSON and digests. Only where
# libarchive-dev, libssl-dev and libjson-c-dev are installed.
IMAGE_HEADERS := /usr/include/archive.h /usr/include/openssl/evp.h /usr/include/json-c/json.h
HAS_IMAGE     := $(if $(filter 3,$(words $(wildcard $(IMAGE_HEADERS)))),yes)
IMAGE         := $(if $(HAS_IMAGE),$(O)/cordon-image)
IMAGE_SRC     := \
	libexec/image/changes.c \
	libexec/image/commit.c \
	libexec/image/compose.c \
	libexec/image/compose_change.c \
	libexec/image/compose_check.c \
	libexec/image/confine.c \
	libexec/image/decompress.c \
	libexec/image/document.c \
	libexec/image/flow.c \
	libexec/image/holes.c \
	libexec/image/import.c \
	libexec/image/layer.c \
	libexec/image/links.c \
	libexec/image/list.c \
	libexec/image/load.c \
	libexec/image/name.c \
	libexec/image/output.c \
	libexec/image/owners.c \
	libexec/image/pack.c \
	libexec/image/pack_attributes.c \
	libexec/image/pack_holes.c \
	libexec/image/parse.c \
	libexec/image/patient.c \
	libexec/image/prune.c \
	libexec/image/pull.c \
	libexec/image/remove.c \
	libexec/image/save.c \
	libexec/image/say.c \
	libexec/image/seal.c \
	libexec/image/transfer.c \
	libexec/image/tree.c \
	libexec/image/unpack.c \
	libexec/image/volume.c \
	libexec/image/worker.c
IMAGE_OBJ     := $(IMAGE_SRC:%.c=$(O)/%.o)
IMAGE_LIBS    := -larchive -lcrypto -ljson-c -lseccomp

# ---- flags ----
WARN := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
# Hardening, after the OpenSSF "Compiler Options Hardening Guide" for C: stack canaries and probes, control-flow
# tags, checked libc calls, zeroed locals, position-independent code, read-only relocations, no lazy binding.
MACHINE        := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
TAGS_aarch64   := -mbranch-protection=standard
CONTROL_TAGS   := $(or $(TAGS_$(MACHINE)),-fcf-protection)
NO_TAGS        := $(if $(TAGS_$(MACHINE)),-mbranch-protection=none,-fcf-protection=none)
HARDEN_CFLAGS  := -fstack-protector-strong -fstack-clash-protection $(CONTROL_TAGS) -D_FORTIFY_SOURCE=2 \
                  -ftrivial-auto-var-init=zero -fno-strict-aliasing -fPIE
HARDEN_LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
CPPFLAGS += -D_GNU_SOURCE -I. -I$(O)
CFLAGS   ?= -O2 -g
STD      := -std=gnu17
# One static file: it starts without a dynamic linker, which is a quarter of the cost of a bare launch, and
# nothing of the caller's (LD_PRELOAD, a library path, NSS) is ever loaded into it.
LINK     := -static-pie
LDLIBS   := -lyaml -lmd

ifeq ($(VARIANT),asan)
# The leak check stays on in unit tests; the program's own runs turn it off (tests/run), since a child between
# clone and exec cannot run it.
SANITIZE       := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_CFLAGS  := -fPIE
LINK           := -pie
endif
ifeq ($(VARIANT),fuzz)
CC             := clang
SANITIZE       := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_CFLAGS  := -fPIE
LINK           := -pie
endif
ifeq ($(VARIANT),fault)
# Test builds only: CORDON_FAULT makes a named row fail, be skipped, or kill a process (tests/fault).
CPPFLAGS += -DCORDON_FAULTS
endif
ifeq ($(VARIANT),clang)
CC := clang
# pattern: clang 14 takes zero only with a second flag that says it will go away.
HARDEN_CFLAGS := -fstack-protector-strong $(CONTROL_TAGS) -D_FORTIFY_SOURCE=2 -ftrivial-auto-var-init=pattern \
                 -fno-strict-aliasing -fPIE
endif

ALL_CFLAGS  = $(STD) $(CPPFLAGS) $(CFLAGS) $(WARN) $(HARDEN_CFLAGS) $(SANITIZE)
ALL_LDFLAGS = $(LDFLAGS) $(HARDEN_LDFLAGS) $(LINK) $(SANITIZE)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

# ---- targets ----
.PHONY: docs documents-build documents-list fuzz-smoke fuzz-long fuzz-seeded fuzz-run all help install uninstall clean unit-build unit-list hostile attack-build oracle-build lint check check-vm check-long bench compare-docker bombs
all: build/cordon ## build the program: build/cordon

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# ---- the program ----
build/cordon: build/release/cordon
	@ln -sfn release/cordon $@
ifneq ($(VARIANT),release)
build/release/cordon: ; @$(MAKE) --no-print-directory VARIANT=release $@
endif

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The shipped profiles as C strings, with their digests, and as trees, by a program that runs here (policy/shipped.c).
HOSTCC ?= gcc
NODES_SRC := policy/gen/profile_nodes.c policy/yaml.c policy/doc.c policy/ctx.c base/arena.c base/err.c base/str.c
build/gen/profile_nodes: $(NODES_SRC) $(wildcard policy/*.h base/*.h)
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(HOSTCC) $(STD) -D_GNU_SOURCE -I. -O1 $(WARN) $(NODES_SRC) -lyaml -o $@
$(O)/policy/profile_%.inc: profiles/%.yaml build/gen/profile_nodes Makefile
	@mkdir -p $(@D)
	$(Q)sed -e 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' -e '1i static const char profile_$(subst -,_,$*)[] =' -e '$$a ;' $< > $@.new
	$(Q)sha256sum < $< | sed 's/\([0-9a-f]*\).*/static const char digest_$(subst -,_,$*)[] = "sha256:\1";/' >> $@.new
	$(Q)build/gen/profile_nodes $(subst -,_,$*) $< >> $@.new && mv $@.new $@
$(O)/policy/shipped.o: $(PROFILES:%=$(O)/policy/profile_%.inc)

# What libseccomp knows of system calls, as tables (policy/syscalls.c). The program that writes them runs here.
CALL_ARCH := $(MACHINE)
build/gen/syscall_table: policy/gen/syscall_table.c
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(HOSTCC) $(STD) -O1 $(WARN) $< -lseccomp -o $@
$(O)/policy/syscall_table.inc: build/gen/syscall_table
	@mkdir -p $(@D)
	$(Q)$< $(CALL_ARCH) > $@.new && mv $@.new $@
$(O)/policy/syscalls.o: $(O)/policy/syscall_table.inc

# pid 1 of a sandbox, the relay of its terminal, the one that answers denied calls and the one that reads the audit
# stream: programs without libc, embedded in ours (launcher/image.S). The same in every variant.
BARE_CFLAGS := $(STD) -D_GNU_SOURCE -I. -Os -Wall -Wextra -Wconversion -Wshadow -Werror -ffreestanding -fno-pie \
	-fno-stack-protector $(NO_TAGS) -fno-asynchronous-unwind-tables
# gcc makes calls of memset out of loops; there is no libc to call.
BARE_CFLAGS += $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)
BARE_LDFLAGS := -static -nostdlib $(if $(findstring clang,$(CC)),,-no-pie) -s -Wl,--build-id=none,-z,noexecstack,-z,noseparate-code

$(O)/launcher/%.bin: launcher/bare.h launcher/bare_filter.h Makefile
	@mkdir -p $(@D)
	$(call say,cc,$(filter %.c,$^))
	$(Q)$(CC) $(BARE_CFLAGS) $(BARE_LDFLAGS) $(filter %.c,$^) -o $@
$(O)/launcher/init.bin: launcher/init/init.c launcher/init_image.h
$(O)/launcher/monitor.bin: launcher/monitor/monitor.c launcher/monitor/output.h launcher/monitor_image.h \
	launcher/bare_confine.h
$(O)/launcher/notifier.bin: launcher/notifier/notifier.c launcher/notifier_image.h launcher/bare_confine.h
$(O)/launcher/auditor.bin: launcher/auditor/auditor.c launcher/audit_record.c launcher/audit_record.h launcher/auditor_image.h \
	launcher/bare_confine.h
$(O)/launcher/recorder.bin: launcher/recorder/recorder.c launcher/recorder/log_writer.h launcher/recorder_image.h launcher/log_format.h \
	launcher/monitor_image.h launcher/bare_confine.h
$(O)/launcher/resolver.bin: launcher/resolver/resolver.c launcher/resolver/serve.h \
	launcher/resolver/serve_filter.h \
	launcher/resolver/serve_loop.h \
	launcher/resolver/serve_notes.h \
	launcher/resolver/serve_tcp.h \
	launcher/resolver/serve_udp.h \
	launcher/resolver_image.h launcher/bare_confine.h launcher/bare_string.h launcher/bare_watch.h \
	net/answer.c net/answer.h \
	net/book.c net/book.h \
	net/dns.c net/dns.h

$(O)/launcher/relay.bin: launcher/relay/relay.c launcher/relay/carry.h \
	launcher/relay/carry_filter.h \
	launcher/relay/carry_loop.h \
	launcher/relay/carry_tcp.h \
	launcher/relay/carry_udp.h \
	launcher/relay_image.h launcher/bare_confine.h launcher/bare_string.h launcher/bare_watch.h

$(O)/launcher/%_image.o: launcher/image.S $(O)/launcher/%.bin
	$(Q)$(CC) -DIMAGE=$*_image -DIMAGE_FILE='"$(O)/launcher/$*.bin"' -c $< -o $@

$(O)/cordon: $(CMD_OBJ) $(O)/libcordon.a | $(SCOPE) $(IMAGE)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(CMD_OBJ) $(O)/libcordon.a $(LDLIBS) -o $@

$(O)/cordon-scope: $(O)/libexec/scope.o
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS) $(HARDEN_LDFLAGS) -pie $(SANITIZE) $^ -lsystemd -o $@

$(O)/cordon-image: $(O)/libexec/image/image.o $(IMAGE_OBJ) $(O)/libcordon.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS) $(HARDEN_LDFLAGS) -pie $(SANITIZE) $^ $(IMAGE_LIBS) -o $@

$(O)/libcordon.a: $(LIB_OBJ)
	$(call say,ar,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

# ---- unit tests (cmocka): one program for each file, run by tests/run ----
UNIT_SRC := \
	tests/unit/base/test_arena.c \
	tests/unit/base/test_err.c \
	tests/unit/base/test_io.c \
	tests/unit/base/test_json.c \
	tests/unit/base/test_json_read.c \
	tests/unit/base/test_parse.c \
	tests/unit/base/test_passing.c \
	tests/unit/base/test_path.c \
	tests/unit/base/test_str.c \
	tests/unit/base/test_sync.c \
	tests/unit/base/test_sys.c \
	tests/unit/cgroup/test_freeze.c \
	tests/unit/cgroup/test_group.c \
	tests/unit/cgroup/test_mounts.c \
	tests/unit/cgroup/test_place.c \
	tests/unit/cgroup/test_probe.c \
	tests/unit/cgroup/test_table.c \
	tests/unit/cgroup/test_change.c \
	tests/unit/cgroup/test_usage.c \
	tests/unit/cmd/test_advice.c \
	tests/unit/cmd/test_copy_rules.c \
	tests/unit/cmd/test_ending.c \
	tests/unit/cmd/test_moment.c \
	tests/unit/cmd/test_options.c \
	tests/unit/cmd/test_print.c \
	tests/unit/cmd/test_top.c \
	tests/unit/cmd/test_verdict.c \
	tests/unit/cmd/test_usage.c \
	tests/unit/cmd/test_words.c \
	tests/unit/launcher/test_access.c \
	tests/unit/launcher/test_admission.c \
	tests/unit/launcher/test_apparmor.c \
	tests/unit/launcher/test_audit_record.c \
	tests/unit/launcher/test_denials.c \
	tests/unit/launcher/test_facts.c \
	tests/unit/launcher/test_identity.c \
	tests/unit/launcher/test_landlock.c \
	tests/unit/launcher/test_limits.c \
	tests/unit/launcher/test_output.c \
	tests/unit/launcher/test_plan.c \
	tests/unit/launcher/test_policy_host.c \
	tests/unit/launcher/test_policy_host_files.c \
	tests/unit/launcher/test_preflight.c \
	tests/unit/launcher/test_readback.c \
	tests/unit/launcher/test_reasons.c \
	tests/unit/launcher/test_resolver.c \
	tests/unit/launcher/test_result.c \
	tests/unit/launcher/test_sources.c \
	tests/unit/launcher/test_state.c \
	tests/unit/launcher/test_state_boot.c \
	tests/unit/launcher/test_upper.c \
	tests/unit/launcher/test_workers.c \
	tests/unit/libexec/test_image_holes.c \
	tests/unit/libexec/test_image_name.c \
	tests/unit/policy/test_answer.c tests/unit/policy/test_ceiling.c \
	tests/unit/policy/test_compile.c \
	tests/unit/policy/test_conditions.c \
	tests/unit/policy/test_docker.c \
	tests/unit/policy/test_docker_refused.c \
	tests/unit/policy/test_filter.c \
	tests/unit/policy/test_flags.c \
	tests/unit/policy/test_groups.c \
	tests/unit/policy/test_image.c \
	tests/unit/policy/test_keys.c \
	tests/unit/policy/test_limits.c \
	tests/unit/policy/test_lsm.c \
	tests/unit/policy/test_oracle.c \
	tests/unit/policy/test_mounts.c \
	tests/unit/policy/test_problems.c \
	tests/unit/policy/test_resolve.c \
	tests/unit/policy/test_second.c \
	tests/unit/policy/test_second_rules.c \
	tests/unit/policy/test_stores.c \
	tests/unit/policy/test_verdicts.c \
	tests/unit/policy/test_warnings.c \
	tests/unit/policy/test_yaml.c \
	tests/unit/records/test_events.c \
	tests/unit/records/test_fields.c \
	tests/unit/records/test_record.c \
	tests/unit/records/test_status.c \
	tests/unit/records/test_store.c \
	tests/unit/records/test_keeper.c \
	tests/unit/cmd/test_detach_keys.c \
	tests/unit/cmd/test_logs_lines.c \
	tests/unit/records/test_logs.c \
	tests/unit/net/test_address.c \
	tests/unit/net/test_book.c \
	tests/unit/net/test_dns.c \
	tests/unit/net/test_egress.c \
	tests/unit/net/test_hosts.c \
	tests/unit/net/test_names.c \
	tests/unit/net/test_netlink.c \
	tests/unit/net/test_network.c \
	tests/unit/net/test_networks.c \
	tests/unit/net/test_offers.c \
	tests/unit/rootfs/test_accounts.c \
	tests/unit/rootfs/test_tree.c \
	tests/unit/storage/test_store.c \
	tests/unit/storage/test_volume.c
# What several of them share.
TEST_LIB_SRC := tests/lib/bpf_sim.c tests/lib/decision_fixture.c tests/lib/policy_fixture.c tests/lib/scratch.c \
	tests/lib/records_fixture.c \
	tests/lib/verdict_rows.c
# The verdict tables of the shipped profiles, and the filter of the second architecture, also run for the machine that
# this is not.
FOREIGN_ARCH := $(if $(filter aarch64,$(CALL_ARCH)),x86_64,aarch64)
FOREIGN_FLAG := -DPOLICY_FOR_$(if $(filter aarch64,$(CALL_ARCH)),X86_64,AARCH64)
FOREIGN_OBJ  := $(POLICY_SRC:%.c=$(O)/foreign/%.o)
FOREIGN_BIN  := \
	$(O)/tests/unit/policy/test_second_foreign \
	$(O)/tests/unit/policy/test_second_rules_foreign \
	$(O)/tests/unit/policy/test_verdicts_foreign
UNIT_BIN := $(UNIT_SRC:%.c=$(O)/%) $(FOREIGN_BIN)
UNIT_LINK := -pie

unit-build: $(UNIT_BIN) ## build the unit tests

$(O)/libtest.a: $(TEST_LIB_SRC:%.c=$(O)/%.o)
	$(call say,ar,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/tests/unit/%: $(O)/tests/unit/%.o $(O)/libtest.a $(O)/libcordon.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS) $(HARDEN_LDFLAGS) $(UNIT_LINK) $(SANITIZE) $(filter %.o,$^) $(O)/libtest.a $(O)/libcordon.a \
		-lcmocka $(UNIT_LIBS) $(LDLIBS) -o $@

$(O)/foreign/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,cc,$< ($(FOREIGN_ARCH)))
	$(Q)$(CC) -I$(O)/foreign $(ALL_CFLAGS) $(FOREIGN_FLAG) -MMD -MP -c $< -o $@
$(O)/foreign/policy/syscall_table.inc: build/gen/syscall_table
	@mkdir -p $(@D)
	$(Q)$< $(FOREIGN_ARCH) > $@.new && mv $@.new $@
$(O)/foreign/policy/syscalls.o: $(O)/foreign/policy/syscall_table.inc
$(O)/foreign/policy/shipped.o: $(PROFILES:%=$(O)/policy/profile_%.inc)
$(FOREIGN_BIN): $(O)/tests/unit/policy/%_foreign: $(O)/foreign/tests/unit/policy/%.o $(FOREIGN_OBJ) $(O)/libtest.a \
		$(O)/libcordon.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS) $(HARDEN_LDFLAGS) $(UNIT_LINK) $(SANITIZE) $(filter %.o,$^) $(O)/libtest.a $(O)/libcordon.a \
		-lcmocka $(LDLIBS) -o $@

# What a few of them need beside: the front doors are not in libcordon.a, and JSON is read by another's parser.
$(O)/tests/unit/libexec/test_image_holes: $(O)/libexec/image/holes.o
$(O)/tests/unit/libexec/test_image_name: $(O)/libexec/image/name.o
$(O)/tests/unit/cmd/test_advice: $(O)/cmd/advice.o
$(O)/tests/unit/cmd/test_copy_rules: $(O)/cmd/copy_rules.o
$(O)/tests/unit/cmd/test_ending: $(O)/cmd/ending.o $(O)/cmd/print.o $(O)/cmd/table.o
$(O)/tests/unit/cmd/test_detach_keys: $(O)/cmd/detach_keys.o
$(O)/tests/unit/cmd/test_logs_lines: $(O)/cmd/logs_lines.o
$(O)/tests/unit/cmd/test_moment: $(O)/cmd/fill.o $(O)/cmd/moment.o
$(O)/tests/unit/cmd/test_options: $(O)/cmd/list_options.o $(O)/cmd/options.o $(O)/cmd/options_later.o $(O)/cmd/options_table.o $(O)/cmd/print.o $(O)/cmd/table.o
$(O)/tests/unit/cmd/test_print: $(O)/cmd/print.o $(O)/cmd/table.o
$(O)/tests/unit/cmd/test_top: $(O)/cmd/top.o
$(O)/tests/unit/cmd/test_usage: $(O)/cmd/usage.o
$(O)/tests/unit/cmd/test_words: $(O)/cmd/words.o
$(O)/tests/unit/cmd/test_verdict: $(filter-out $(O)/cmd/main.o,$(CMD_OBJ))
$(O)/tests/unit/base/test_json $(O)/tests/unit/launcher/test_result: UNIT_LIBS := -ljson-c
$(O)/tests/unit/policy/test_oracle: UNIT_LIBS := -lseccomp

# Objects of the tests are kept: without this, make removes them as intermediate files.
.SECONDARY:

unit-list:
	@printf '%s\n' $(UNIT_BIN)

# ---- fuzzing (libFuzzer): each harness starts from tests/fuzz/corpus/NAME; what it finds stays in build/fuzz ----
FUZZ_NAMES   := yaml docker bpf parse subid audit flags record logs events \
	attach \
	dns \
	netlink \
	network \
	$(if $(HAS_IMAGE),image)
FUZZ_BIN     := $(FUZZ_NAMES:%=$(O)/tests/fuzz/fuzz_%)
FUZZ_SECONDS := 9

$(O)/tests/fuzz/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/libtest.a $(O)/libcordon.a
	$(call say,ld,$@)
	$(Q)$(CC) -pie -fsanitize=fuzzer,address,undefined $(filter %.o,$^) $(O)/libtest.a $(O)/libcordon.a $(LDLIBS) \
		$(FUZZ_LIBS) -o $@

$(O)/tests/fuzz/fuzz_image: $(O)/libexec/image/name.o $(O)/libexec/image/parse.o
$(O)/tests/fuzz/fuzz_image: $(O)/libexec/image/compose.o $(O)/libexec/image/compose_change.o $(O)/libexec/image/compose_check.o
$(O)/tests/fuzz/fuzz_image: FUZZ_LIBS := -ljson-c

fuzz-smoke: ## fuzz each parser for 9 seconds
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-run

fuzz-long: ## fuzz each parser for 10 minutes
	@$(MAKE) --no-print-directory VARIANT=fuzz FUZZ_SECONDS=600 fuzz-run

fuzz-seeded: ## whether each fuzz harness finds the bug that is put before it: tests/fuzz/seeds
	tests/fuzz/seeded

# As many at a time as there are processors: each of them takes one.
fuzz-run: $(FUZZ_BIN)
	@printf '%s\n' $(FUZZ_NAMES) | xargs -P "$$(nproc)" -n 1 tests/fuzz/one $(O) $(FUZZ_SECONDS)

# ---- the hostile program that ./quickstart runs twice (no part of cordon) ----
HOSTILE_SRC := examples/hostile/hostile.c examples/hostile/on_kernel.c examples/hostile/on_user.c

hostile: build/hostile ## build the hostile program: build/hostile

build/hostile: build/release/hostile
	@ln -f $< $@
ifneq ($(VARIANT),release)
build/release/hostile: ; @$(MAKE) --no-print-directory VARIANT=release $@
endif

$(O)/hostile: $(HOSTILE_SRC:%.c=$(O)/%.o)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -o $@

# ---- the bombs, and the witness who lives beside them (no part of cordon) ----
BOMB_SRC := \
	examples/bombs/bomb.c \
	examples/bombs/files.c \
	examples/bombs/kernel.c \
	examples/bombs/memory.c \
	examples/bombs/tasks.c

bombs: build/bomb build/witness ## build the bombs and the witness: build/bomb, build/witness

build/bomb build/witness: build/%: build/release/%
	@ln -f $< $@
ifneq ($(VARIANT),release)
build/release/bomb build/release/witness: ; @$(MAKE) --no-print-directory VARIANT=release $@
endif

$(O)/bomb: $(BOMB_SRC:%.c=$(O)/%.o)
$(O)/witness: $(O)/examples/bombs/witness.o
$(O)/bomb $(O)/witness:
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -o $@

# ---- programs that the integration tests run inside (no part of cordon) ----
ATTACK_SRC := \
	tests/attack/attach.c \
	tests/attack/call.c \
	tests/attack/capsets.c \
	tests/attack/deny.c \
	tests/attack/descriptors.c \
	tests/attack/processes.c \
	tests/attack/project.c \
	tests/attack/domain.c \
	tests/attack/filters.c \
	tests/attack/grab.c \
	tests/attack/reader.c tests/attack/swap.c tests/attack/terminal.c tests/attack/verdicts.c \
	tests/attack/without.c
# One static file each: they run in trees that have no libraries.
ATTACK_BIN := $(ATTACK_SRC:tests/attack/%.c=build/tests/%)
# x86's calls, from a program of 32 bits and from one of 64.
ATTACK_BIN += $(if $(filter x86_64,$(CALL_ARCH)),build/tests/call_x86 build/tests/int80)

# What a worker of cordon-image could do.
ATTACK_BIN += $(if $(HAS_IMAGE),build/tests/confined)
# cordon with another fsync, for tests/vm/power and tests/life/kept_disk.bats.
ATTACK_BIN += build/tests/unsynced

attack-build: $(ATTACK_BIN) ## build the programs of tests/attack: build/tests/

# Dynamic: the archive of libcap-ng brings the account functions of libc along, which a static program cannot have.
ATTACK_LINK = $(if $(filter %/capsets,$@),-lcap-ng,-static -lseccomp)
build/tests/call_x86: tests/attack/call_x86.c Makefile
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) -m32 $(BARE_CFLAGS) $(BARE_LDFLAGS) $< -o $@
build/tests/int80: tests/attack/call_x86.c Makefile
	@mkdir -p $(@D)
	$(call say,cc,$< (64 bits))
	$(Q)$(CC) $(BARE_CFLAGS) $(BARE_LDFLAGS) $< -o $@
build/tests/confined: build/release/tests/storage/confined
	@mkdir -p $(@D)
	@ln -f $< $@
ifneq ($(VARIANT),release)
build/release/tests/storage/confined: ; @$(MAKE) --no-print-directory VARIANT=release $@
endif
$(O)/tests/storage/confined: $(O)/tests/storage/confined.o $(O)/libexec/image/confine.o $(O)/libcordon.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS) $(HARDEN_LDFLAGS) -pie $(SANITIZE) $^ -lseccomp -o $@
build/tests/unsynced: build/release/unsynced
	@mkdir -p $(@D)
	@ln -f $< $@
ifneq ($(VARIANT),release)
build/release/unsynced: ; @$(MAKE) --no-print-directory VARIANT=release $@
endif
$(O)/unsynced: $(O)/tests/vm/unsynced.o $(CMD_OBJ) $(O)/libcordon.a
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,--wrap=fsync $^ $(LDLIBS) -o $@
build/tests/%: tests/attack/%.c Makefile
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) $(STD) -D_GNU_SOURCE -O2 -g $(WARN) $< $(ATTACK_LINK) -o $@

# ---- runc's filter beside cordon's, for the same Docker file (tests/oracle) ----
oracle-build: build/oracle/compile build/oracle/compare ## build the programs of tests/oracle: build/oracle/

build/oracle/%: build/release/oracle/%
	@mkdir -p $(@D)
	@ln -f $< $@
ifneq ($(VARIANT),release)
build/release/oracle/%: ; @$(MAKE) --no-print-directory VARIANT=release $@
endif

$(O)/oracle/compile: $(O)/tests/oracle/compile.o
$(O)/oracle/compile: ORACLE_LIBS := -Wl,--wrap=resolve_capabilities -lcap-ng
$(O)/oracle/compare: $(O)/tests/oracle/compare.o $(O)/tests/oracle/differences.o
$(O)/oracle/compare: ORACLE_LIBS := -lseccomp
$(O)/oracle/%: $(O)/libtest.a $(O)/libcordon.a
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS) $(HARDEN_LDFLAGS) $(UNIT_LINK) $(SANITIZE) $(filter %.o,$^) $(O)/libtest.a $(O)/libcordon.a \
		$(ORACLE_LIBS) $(LDLIBS) -o $@

# ---- checks ----
lint: ## run every lint check and the checks' own tests
	tests/run lint

check: ## run the whole test suite
	tests/run

check-vm: build/cordon build/hostile bombs attack-build ## run the tests on Debian's kernels 6.1, 6.12 and the newest, in virtual machines
	@$(MAKE) --no-print-directory VARIANT=fault build/fault/cordon
	tests/run vm

check-long: ## the suite, then a browser, 800 sandboxes at once, aarch64, losses of power, seeded bugs, longer fuzzing and the integration tests with the sanitizers
	tests/run
	tests/run browser
	tests/run many
	tests/run aarch64
	tests/run power
	$(MAKE) --no-print-directory fuzz-seeded
	$(MAKE) --no-print-directory fuzz-long
	LINT_PATHS=1 tests/lint/tidy
	VARIANT=asan tests/run build integration

# ---- benchmark ----
bench: build/cordon ## measure launches against other tools, limits, sandboxes that live, exec and logs, images, volumes, networks, rates, egress rules: docs/PERFORMANCE*.md
	@$(MAKE) --no-print-directory VARIANT=fault build/fault/cordon
	tests/bench/run $(BENCH_FLAGS)
	tests/bench/limits $(BENCH_LIMITS_FLAGS)
	tests/bench/life $(BENCH_LIFE_FLAGS)
	tests/bench/exec $(BENCH_EXEC_FLAGS)
	tests/bench/images $(BENCH_IMAGES_FLAGS)
	tests/bench/volumes $(BENCH_VOLUMES_FLAGS)
	tests/bench/network $(BENCH_NETWORK_FLAGS)
	tests/bench/traffic $(BENCH_TRAFFIC_FLAGS)
	tests/bench/egress $(BENCH_EGRESS_FLAGS)

compare-docker: build/cordon ## ask cordon and a dockerd that it starts the same, by examples/walkthrough: docs/COMPARE-DOCKER.md
	tests/bench/compare-docker

# ---- documents that follow from the tables (policy/keys.c, cmd/commands.c, cmd/options_*.c): kept in the tree, and
# compared with what the tables give by tests/integration/documents.bats ----
DOCUMENTS_SRC := \
	cmd/gen/docker.c \
	cmd/gen/commands.c \
	cmd/gen/completion.c cmd/gen/documents.c cmd/gen/man.c cmd/gen/man_program.c cmd/gen/prose.c cmd/gen/reference.c \
	cmd/gen/schema.c cmd/gen/tree.c
DOCUMENTS_OBJ := $(DOCUMENTS_SRC:%.c=$(O)/%.o)
DOCUMENTS     := docs/man/cordon.1=man-program docs/man/cordon-profile.5=man profiles/schema.json=schema docs/completion/cordon.bash=completion \
	docs/PROFILES.md=reference \
	docs/DOCKER.md=docker \
	docs/COMMANDS.md=commands

documents-build: build/gen/documents

build/gen/documents: build/release/gen/documents
	@mkdir -p $(@D)
	@ln -f $< $@
ifneq ($(VARIANT),release)
build/release/gen/documents: ; @$(MAKE) --no-print-directory VARIANT=release $@
endif

$(O)/gen/documents: $(DOCUMENTS_OBJ) $(filter-out $(O)/cmd/main.o,$(CMD_OBJ)) $(O)/libcordon.a
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LDLIBS) -o $@

docs: build/gen/documents ## write the documents that follow from the tables
	@mkdir -p docs/man docs/completion
	@set -e; for row in $(DOCUMENTS); do \
		build/gen/documents $${row#*=} > build/gen/document.new; \
		cmp -s build/gen/document.new $${row%=*} || { cp build/gen/document.new $${row%=*}; echo "  docs  $${row%=*}"; }; \
	done

# "FILE=DOCUMENT", for the test.
documents-list:
	@printf '%s\n' $(DOCUMENTS)

# ---- install ----
install: build/cordon ## install below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 build/release/cordon $(DESTDIR)$(PREFIX)/bin/cordon
ifneq ($(SCOPE),)
	install -d $(DESTDIR)$(PREFIX)/libexec/cordon
	install -m 0755 build/release/cordon-scope $(DESTDIR)$(PREFIX)/libexec/cordon/cordon-scope
endif
ifneq ($(IMAGE),)
	install -d $(DESTDIR)$(PREFIX)/libexec/cordon
	install -m 0755 build/release/cordon-image $(DESTDIR)$(PREFIX)/libexec/cordon/cordon-image
endif
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 0644 docs/man/cordon.1 $(DESTDIR)$(PREFIX)/share/man/man1/cordon.1
	install -m 0644 docs/man/cordon-profile.5 $(DESTDIR)$(PREFIX)/share/man/man5/cordon-profile.5
	install -d $(DESTDIR)$(PREFIX)/share/cordon
	install -m 0644 profiles/schema.json $(DESTDIR)$(PREFIX)/share/cordon/profile.schema.json
	install -m 0644 docs/completion/cordon.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cordon
	# Enabled by nobody but an administrator, or a user.
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/systemd/user
	sed 's|@BINDIR@|$(PREFIX)/bin|' packaging/cordon.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/cordon.service
	sed 's|@BINDIR@|$(PREFIX)/bin|' packaging/cordon-user.service > $(DESTDIR)$(PREFIX)/lib/systemd/user/cordon.service
	chmod 0644 $(DESTDIR)$(PREFIX)/lib/systemd/system/cordon.service $(DESTDIR)$(PREFIX)/lib/systemd/user/cordon.service
	# Not into /etc/apparmor.d: nothing is loaded but by an administrator (cordon doctor prints the line).
	install -d $(DESTDIR)$(PREFIX)/share/cordon/apparmor
	install -m 0644 profiles/apparmor/cordon profiles/apparmor/cordon-workload $(DESTDIR)$(PREFIX)/share/cordon/apparmor

# What install brings, whatever this machine had to build it with, and the directories that are its own.
INSTALLED := \
	bin/cordon \
	libexec/cordon/cordon-image \
	libexec/cordon/cordon-scope \
	share/man/man1/cordon.1 \
	share/man/man5/cordon-profile.5 \
	share/cordon/profile.schema.json \
	share/cordon/apparmor/cordon \
	share/cordon/apparmor/cordon-workload \
	share/bash-completion/completions/cordon \
	lib/systemd/system/cordon.service \
	lib/systemd/user/cordon.service
INSTALLED_DIRS := libexec/cordon share/cordon/apparmor share/cordon

uninstall: ## remove what install brings, with the same DESTDIR and PREFIX; sandboxes and images stay
	rm -f $(INSTALLED:%=$(DESTDIR)$(PREFIX)/%)
	for dir in $(INSTALLED_DIRS:%=$(DESTDIR)$(PREFIX)/%); do \
		[ ! -d "$$dir" ] || rmdir --ignore-fail-on-non-empty "$$dir" || exit 1; \
	done

clean: ## remove build/
	rm -rf build

-include $(shell find $(O) -name '*.d' 2>/dev/null)
