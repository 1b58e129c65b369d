/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the policy asks of the host, and the rules of who is believed: a profile file, and the
 * directory it lies in, may be written by root and the caller alone. Runs in the keeper, reads
 * only.
 */
#include "launcher/policy_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/host_files.h"
#include "launcher/images.h"
#include "launcher/policy_files.h"
#include "rootfs/accounts.h"

static const char system_profiles[] = "/etc/cordon/profiles";
static const char ceiling_path[] = "/etc/cordon/ceiling.yaml";

/* ---- who may write a profile ---- */

static int check_writers(const struct policy_host_state *state, const struct stat *st,
			 const char *path, struct err *err)
{
	bool is_own = st->st_uid == 0 || st->st_uid == state->euid;
	/* A sticky directory (/tmp) may be writable for all: nobody can replace another's file in
	 * it. */
	mode_t others = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) ? 0 : 022;

	if (is_own && (st->st_mode & others) == 0)
		return 0;
	err_set(err, ERR_POLICY, 0, "%s: may be written by others (owner uid %u, mode %o)", path,
		st->st_uid, st->st_mode & 07777);
	return err_hint(err,
			"Make it yours alone: chown and chmod go-w '%s'. A policy that others can "
			"write protects nothing.",
			path);
}

/* The directory of path, or ".". */
static void directory_of(const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		str_format(buf, size, ".");
	else
		str_format(buf, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* Where the name is a link, the directory that the file really lies in counts, too. */
static int check_real_directory(const struct policy_host_state *state, int fd, struct err *err)
{
	char link[64], path[PATH_MAX], dir[PATH_MAX];
	struct stat st;
	ssize_t n;

	str_format(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	directory_of(path, dir, sizeof(dir));
	if (stat(dir, &st) != 0)
		return -errno;
	return check_writers(state, &st, dir, err);
}

/* Opens a profile and checks it and its directory by what was opened. */
static int open_profile(const struct policy_host_state *state, const char *path, struct err *err)
{
	_cleanup_fd_ int place = -EBADF;
	_cleanup_fd_ int dir_fd = -EBADF;
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	struct stat st;
	int r;

	directory_of(path, dir, sizeof(dir));
	dir_fd = sys_openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir_fd < 0)
		return dir_fd;
	/* In the directory that is checked, whatever has its name by now. */
	place = sys_openat(dir_fd, slash != NULL ? slash + 1 : path, O_PATH | O_CLOEXEC, 0);
	if (place < 0)
		return place;
	if (fstat(dir_fd, &st) != 0)
		return -errno;
	r = check_writers(state, &st, dir, err);
	if (r < 0)
		return r;
	if (fstat(place, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_POLICY, 0, "%s: is not a regular file", path);
	r = check_writers(state, &st, path, err);
	if (r == 0)
		r = check_real_directory(state, place, err);
	return r < 0 ? r : host_file_reopen(place);
}

/* ---- names and paths ---- */

struct profile_out {
	const char **path;
	const char **dir;
	const char **text;
	size_t *len;
};

static int load_file(const struct policy_host_state *state, struct arena *arena, const char *path,
		     struct profile_out out, struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	char dir[PATH_MAX], absolute[PATH_MAX];
	int r;

	err->kind = ERR_NONE;
	fd = open_profile(state, path, err);
	if (fd < 0)
		return err->kind != ERR_NONE ? fd
					     : err_set(err, ERR_POLICY, -fd, "profile %s", path);
	r = host_file_read(fd, arena, POLICY_FILE_MAX, out.text, out.len);
	if (r < 0)
		return err_set(err, ERR_POLICY, -r, "profile %s", path);
	directory_of(path, dir, sizeof(dir));
	if (path_normalize(absolute, sizeof(absolute), state->cwd, dir) < 0)
		return err_set(err, ERR_POLICY, 0, "profile %s: no usable directory", path);
	*out.path = arena_strdup(arena, path);
	*out.dir = arena_strdup(arena, absolute);
	return *out.path != NULL && *out.dir != NULL
		       ? 0
		       : err_set(err, ERR_BUG, ENOMEM, "profile %s", path);
}

static const struct policy_shipped *find_shipped(const char *name)
{
	for (size_t i = 0; i < policy_n_shipped_profiles; i++)
		if (str_equal(policy_shipped_profiles[i].name, name))
			return &policy_shipped_profiles[i];
	return NULL;
}

static int load_shipped(const struct policy_shipped *shipped, struct arena *arena,
			struct profile_out out, struct err *err)
{
	*out.path = arena_format(arena, "profile %s", shipped->name);
	*out.dir = "";
	*out.text = shipped->text;
	*out.len = shipped->len;
	return *out.path != NULL ? 0 : err_set(err, ERR_BUG, ENOMEM, "profile %s", shipped->name);
}

/* A name among the files of the two directories. Returns 1 and the path, or 0. */
static int find_file(const struct policy_host_state *state, const char *name, char *path,
		     size_t size)
{
	const char *const dirs[] = {system_profiles, state->user_profiles};

	for (size_t i = 0; i < 2; i++) {
		if (dirs[i][0] == '\0')
			continue;
		str_format(path, size, "%s/%s.yaml", dirs[i], name);
		if (access(path, F_OK) == 0)
			return 1;
	}
	return 0;
}

static int load_name(const struct policy_host_state *state, struct arena *arena, const char *name,
		     struct profile_out out, struct err *err)
{
	const struct policy_shipped *shipped = find_shipped(name);
	char path[PATH_MAX];
	bool has_file;

	if (name[0] == '\0' || strlen(name) > NAME_MAX - 8 || name[0] == '.')
		return err_set(err, ERR_POLICY, 0, "profile '%s': not a name", name);
	has_file = find_file(state, name, path, sizeof(path)) == 1;
	if (shipped != NULL && has_file) {
		err_set(err, ERR_POLICY, 0, "%s: takes the name of a shipped profile", path);
		return err_hint(err, "Rename the file: '%s' always means the shipped one.", name);
	}
	if (shipped != NULL)
		return load_shipped(shipped, arena, out, err);
	if (has_file)
		return load_file(state, arena, path, out, err);
	err_set(err, ERR_POLICY, 0, "profile '%s': there is no such profile", name);
	return err_hint(err,
			"`cordon profile ls` lists them; a file is named with a slash: ./%s%s.",
			name, strchr(name, '.') == NULL ? ".yaml" : "");
}

static int load_by_ref(const struct policy_host_state *state, const struct policy_file *asked,
		       struct arena *arena, struct profile_out out, struct err *err)
{
	const char *ref = asked->ref, *relative_to = asked->relative_to;
	char path[PATH_MAX];

	if (strchr(ref, '/') == NULL)
		return load_name(state, arena, ref, out, err);
	/* From the command line the path stays as it was written, for messages. */
	if (relative_to[0] == '\0' || str_equal(relative_to, state->cwd))
		return load_file(state, arena, ref, out, err);
	if (path_normalize(path, sizeof(path), relative_to, ref) < 0)
		return err_set(err, ERR_POLICY, 0, "profile %s: not a usable path", ref);
	return load_file(state, arena, path, out, err);
}

static int host_load_profile(void *ctx, struct arena *arena, const char *ref,
			     const char *relative_to, const char **ret_path, const char **ret_dir,
			     const char **ret_text, size_t *ret_len, struct err *err)
{
	const struct policy_host_state *state = ctx;
	struct profile_out out = {.path = ret_path,
				  .dir = ret_dir,
				  .text = ret_text,
				  .len = ret_len};
	struct policy_file file = {.ref = ref, .relative_to = relative_to};
	int r;

	if (state->request->files != NULL) {
		r = policy_files_find(state->request->files, &file, err);
		if (r < 0)
			return r;
		*ret_path = file.path;
		*ret_dir = file.dir;
		*ret_text = file.text;
		*ret_len = file.len;
	} else {
		*ret_len = 0;
		r = load_by_ref(state, &file, arena, out, err);
		if (r != 0)
			return r;
		file.path = *ret_path;
		file.dir = *ret_dir;
		file.text = *ret_text;
		file.len = *ret_len;
	}
	return state->files != NULL ? policy_files_note(state->files, arena, &file, err) : 0;
}

void policy_host_list(const struct policy_host_state *state,
		      void (*each)(void *ctx, const char *name, const char *path), void *ctx)
{
	const char *const dirs[] = {system_profiles, state->user_profiles};

	for (size_t i = 0; i < policy_n_shipped_profiles; i++)
		each(ctx, policy_shipped_profiles[i].name, "");
	for (size_t i = 0; i < 2; i++) {
		DIR *dir = dirs[i][0] != '\0' ? opendir(dirs[i]) : NULL;
		struct dirent *entry;

		while (dir != NULL && (entry = readdir(dir)) != NULL) {
			char name[NAME_MAX + 1], path[PATH_MAX + NAME_MAX];
			size_t len = strlen(entry->d_name);

			if (len < 6 || !str_equal(entry->d_name + len - 5, ".yaml"))
				continue;
			str_format(name, sizeof(name), "%.*s", (int)(len - 5), entry->d_name);
			str_format(path, sizeof(path), "%s/%s", dirs[i], entry->d_name);
			each(ctx, name, path);
		}
		if (dir != NULL)
			closedir(dir);
	}
}

/* ---- what the policy asks of the host ---- */

static int host_load_ceiling(void *ctx, struct arena *arena, struct policy_text *ret,
			     struct err *err)
{
	const struct policy_host_state *state = ctx;
	/* It is root's alone to write, whoever asks. */
	const struct policy_host_state root = {.request = state->request, .euid = 0};
	const char *dir;
	struct profile_out out = {.path = &ret->path,
				  .dir = &dir,
				  .text = &ret->text,
				  .len = &ret->len};

	ret->text = NULL;
	if (!state->is_bound)
		return 0;
	/* What cannot be seen may be there: then it is opened, and the error tells. */
	if (access(ceiling_path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	return load_file(&root, arena, ceiling_path, out, err);
}

static int host_read_accounts(void *ctx, struct arena *arena, const struct spec_rootfs *rootfs,
			      const char *which, const char **ret_text, size_t *ret_len,
			      struct err *err)
{
	int r;

	if (rootfs->kind == ROOTFS_IMAGE) {
		const char *path = str_equal(which, "passwd") ? "/etc/passwd" : "/etc/group";
		_cleanup_fd_ int fd = images_open_file(ctx, path);

		r = fd < 0 ? fd : host_file_read(fd, arena, HOST_ACCOUNTS_MAX, ret_text, ret_len);
		return r < 0 ? err_set(err, ERR_POLICY, -r, "%s of the image", path) : 0;
	}
	if (rootfs->kind != ROOTFS_DIR) {
		*ret_text = str_equal(which, "passwd") ? accounts_passwd(arena, 1000, 1000, "/")
						       : accounts_group(arena, 1000);
		*ret_len = *ret_text != NULL ? strlen(*ret_text) : 0;
		return *ret_text != NULL ? 0 : err_set(err, ERR_BUG, ENOMEM, "made /etc/%s", which);
	}
	r = host_file_of_rootfs(rootfs->dir, which, arena, ret_text, ret_len);
	return r < 0 ? err_set(err, ERR_POLICY, -r, "%s/etc/%s", rootfs->dir, which) : 0;
}

static int host_find_image(void *ctx, struct arena *arena, const char *name,
			   struct policy_image *ret)
{
	return images_find(ctx, arena, name, ret);
}

/* As profiles: a kept sandbox's files are its record's. Those of a program that is started in it
 * later are of today. */
static int host_read_file(void *ctx, struct arena *arena, const char *path, struct policy_text *ret,
			  struct err *err)
{
	const struct policy_host_state *state = ctx;
	struct policy_file file = {.ref = path, .relative_to = "flag", .path = path, .dir = ""};
	int r;

	if (state->request->files != NULL) {
		r = policy_files_find(state->request->files, &file, err);
		if (r == 0 || !state->request->enters) {
			ret->text = file.text;
			ret->len = file.len;
			return r;
		}
		err->kind = ERR_NONE;
	}
	r = host_file_load(path, arena, ret, err);
	if (r < 0 || state->files == NULL)
		return r;
	file.text = ret->text;
	file.len = ret->len;
	file.path = arena_strdup(arena, path);
	return file.path != NULL ? policy_files_note(state->files, arena, &file, err)
				 : err_set(err, ERR_BUG, ENOMEM, "%s", path);
}

/* "6.18.0-..." */
static int host_kernel_version(void *ctx, uint32_t *ret_major, uint32_t *ret_minor)
{
	struct utsname name;
	char *dot, *end;

	(void)ctx;
	if (uname(&name) != 0)
		return -errno;
	dot = strchr(name.release, '.');
	if (dot == NULL)
		return -EINVAL;
	*dot = '\0';
	end = dot + 1 + strspn(dot + 1, "0123456789");
	*end = '\0';
	if (parse_u32(name.release, ret_major) < 0 || parse_u32(dot + 1, ret_minor) < 0)
		return -EINVAL;
	return 0;
}

/* ---- */

static const char *environment_value(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=')
			return environment[i] + len + 1;
	return NULL;
}

/* A descriptor that is closed is no file. */
static bool passes_file(const struct run_request *request)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			return true;
	for (size_t i = 0; i < request->policy.n_fds; i++)
		if (fstat(request->policy.fds[i], &st) == 0 && S_ISREG(st.st_mode))
			return true;
	return false;
}

void policy_host_init(struct policy_host_state *ret_state, const struct run_request *request,
		      uint32_t euid, struct policy_host *ret_host)
{
	const char *config = environment_value(request->environment, "XDG_CONFIG_HOME");

	memset(ret_state, 0, sizeof(*ret_state));
	ret_state->request = request;
	ret_state->euid = euid;
	if (getcwd(ret_state->cwd, sizeof(ret_state->cwd)) == NULL || ret_state->cwd[0] != '/')
		ret_state->cwd[0] = '\0';
	/* Root reads nothing that a variable points to: sudo may keep the user's. */
	if (euid != 0 && config != NULL && config[0] == '/')
		str_format(ret_state->user_profiles, sizeof(ret_state->user_profiles),
			   "%s/cordon/profiles", config);
	else if (euid != 0 && request->home != NULL && request->home[0] == '/')
		str_format(ret_state->user_profiles, sizeof(ret_state->user_profiles),
			   "%s/.config/cordon/profiles", request->home);
	*ret_host = (struct policy_host){.ctx = ret_state,
					 .load_profile = host_load_profile,
					 .read_accounts = host_read_accounts,
					 .load_ceiling = host_load_ceiling,
					 .find_image = host_find_image,
					 .read_file = host_read_file,
					 .kernel_version = host_kernel_version,
					 .cwd = ret_state->cwd,
					 .home = request->home != NULL ? request->home : "",
					 .environment = request->environment,
					 .stdio_is_file = passes_file(request)};
}

void cordon_profile_list(const struct run_request *request,
			 void (*each)(void *ctx, const char *name, const char *path), void *ctx)
{
	struct policy_host_state state;
	struct policy_host host;

	policy_host_init(&state, request, geteuid(), &host);
	policy_host_list(&state, each, ctx);
}

int cordon_profile_load(const struct run_request *request, const char *ref, struct arena *arena,
			const char **ret_text, size_t *ret_len, struct err *err)
{
	struct policy_host_state state;
	struct policy_host host;
	const char *path = NULL, *dir = NULL;

	policy_host_init(&state, request, geteuid(), &host);
	return host.load_profile(host.ctx, arena, ref, host.cwd, &path, &dir, ret_text, ret_len,
				 err);
}
