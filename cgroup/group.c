/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One sandbox's groups: made empty, limited, read back, entered, killed, removed. Runs in the
 * keeper. Every write is read back, for the kernel takes some values and uses others.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroup/table.h"

enum {
	DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	REMOVE_TRIES = 400,
	REMOVE_PAUSE_NS = 5000000,
	MAKE_TRIES = 20,
	LINE_MAX_BYTES = 4096,
	/* A line for each block device. */
	DEVICE_LINES_MAX_BYTES = 64 << 10,
};

/* ---- making ---- */

void cgroup_plan(const struct cgroup_facts *facts, uint32_t controllers, const char *id,
		 struct cgroup *ret)
{
	/* The places are written one by one: they are large, and most are none. */
	ret->n = 0;
	ret->oom_event_fd = -EBADF;
	for (size_t i = 0; i < facts->n_hierarchies; i++) {
		const struct cgroup_hierarchy *h = &facts->hierarchies[i];
		struct cgroup_place *place = &ret->places[ret->n];

		if ((h->controllers & controllers) == 0)
			continue;
		ret->n++;
		*place = (struct cgroup_place){.version = h->version,
					       .parent_is_ours = h->makes_parent,
					       .controllers = h->controllers & controllers,
					       .hierarchy = i,
					       .dir_fd = -EBADF,
					       .tasks_fd = -EBADF};
		str_format(place->path, sizeof(place->path), "%s/cordon-%s", h->parent, id);
		str_format(place->self_path, sizeof(place->self_path), "%s/cordon-%s",
			   str_equal(h->parent_path, "/") ? "" : h->parent_path, id);
	}
}

/* "cordon", which hands on what the sandboxes in it need. */
static int make_own_parent(const struct cgroup_hierarchy *h, uint32_t controllers, struct err *err)
{
	char above[CGROUP_DIR_MAX];
	int r;

	str_format(above, sizeof(above), "%.*s", (int)(strrchr(h->parent, '/') - h->parent),
		   h->parent);
	r = cgroup_hand_on(above, h->to_enable & controllers, '+', err);
	if (r == 0 && mkdir(h->parent, 0755) != 0 && errno != EEXIST)
		r = err_set(err, ERR_SETUP, errno, "%s: make the group", h->parent);
	return r == 0 ? cgroup_hand_on(h->parent, controllers, '+', err) : r;
}

/* cpuset of v1: a new group has no processors and no memory at all until it is given some. */
static int copy_cpuset(const struct cgroup_hierarchy *h, const struct cgroup_place *place,
		       struct err *err)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[CGROUP_DIR_MAX + 64], text[LINE_MAX_BYTES];
		ssize_t n;
		int r;

		str_format(path, sizeof(path), "%s/%s", h->parent, files[i]);
		n = io_read_text(AT_FDCWD, path, text, sizeof(text));
		r = n < 0 ? (int)n : io_write_text(place->dir_fd, files[i], text);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: copy %s", place->path, files[i]);
	}
	return 0;
}

static int make_one(const struct cgroup_hierarchy *h, struct cgroup_place *place, struct err *err)
{
	int r = 0;

	/* Our parent goes away with its last child: another run may just have removed it, also
	 * between the opening of one of its files and the writing (kernfs_get_active: ENODEV). */
	for (int i = 0; i < MAKE_TRIES; i++) {
		if (h->makes_parent)
			r = make_own_parent(h, place->controllers, err);
		else if (h->version == CGROUP_V2)
			r = cgroup_hand_on(h->parent, h->to_enable & place->controllers, '+', err);
		if (r == 0)
			r = mkdir(place->path, 0755) != 0
				    ? err_set(err, ERR_SETUP, errno, "%s: make the group",
					      place->path)
				    : 0;
		if ((r != -ENOENT && r != -ENODEV) || !h->makes_parent)
			break;
	}
	if (r < 0)
		return r;
	place->dir_fd = sys_openat(AT_FDCWD, place->path, DIR_FLAGS, 0);
	if (place->dir_fd < 0)
		return err_set(err, ERR_SETUP, -place->dir_fd, "%s: open", place->path);
	if (h->version == CGROUP_V2)
		return r;
	place->tasks_fd = sys_openat(place->dir_fd, "tasks", O_WRONLY | O_CLOEXEC, 0);
	if (place->tasks_fd < 0)
		return err_set(err, ERR_SETUP, -place->tasks_fd, "%s/tasks: open", place->path);
	return (h->controllers & 1U << CGROUP_CPUSET) != 0 ? copy_cpuset(h, place, err) : 0;
}

int cgroup_make(const struct cgroup_facts *facts, struct cgroup *group, struct err *err)
{
	for (size_t i = 0; i < group->n; i++) {
		struct cgroup_place *place = &group->places[i];
		int r = make_one(&facts->hierarchies[place->hierarchy], place, err);

		if (r == 0 && (place->controllers & 1U << CGROUP_MEMORY) != 0)
			r = cgroup_watch_memory(group, place, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- limits ---- */

static int refuse(const struct cgroup_place *place, const struct cgroup_limit_row *row, int result,
		  const char *value, struct err *err)
{
	err_set(err, ERR_SETUP, -result, "limits.%s: write %s to %s/%s",
		spec_limit_names[row->limit], value, place->path, row->file);
	if (row->limit == LIMIT_CPUSET)
		return err_hint(err, "Some of these processors are not there, or not the caller's: "
				     "see Cpus_allowed_list in /proc/self/status.");
	if (row->limit == LIMIT_CPUS)
		return err_hint(err, "A group above has a smaller quota of its own.");
	return result;
}

bool cgroup_reads_back(const char *wanted, const char *found, bool in_pages)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t a, b;

	if (str_equal(wanted, found))
		return true;
	if (!in_pages || parse_u64(wanted, &a) < 0)
		return false;
	/* More than there can be is none: the kernel counts pages in a long. */
	if (parse_u64(found, &b) < 0)
		return str_equal(found, "max") && a > (uint64_t)INT64_MAX - page;
	return a / page == b / page || (a > INT64_MAX / 2 && b > INT64_MAX / 2);
}

/*
 * v2 takes a list that the groups above do not allow, and then uses theirs: what is in force must
 * lie within what was asked for.
 */
static int check_cpuset(const struct cgroup_place *place, const struct cgroup_limit_row *row,
			const char *value, struct err *err)
{
	uint64_t wanted[SPEC_CPUS_MAX / 64] = {0}, used[SPEC_CPUS_MAX / 64] = {0};
	char text[LINE_MAX_BYTES];
	ssize_t n = io_read_text(place->dir_fd, "cpuset.cpus.effective", text, sizeof(text));

	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s/cpuset.cpus.effective", place->path);
	io_chomp(text);
	if (parse_cpu_list(value, wanted, SPEC_CPUS_MAX) < 0 ||
	    parse_cpu_list(text, used, SPEC_CPUS_MAX) < 0)
		return err_set(err, ERR_SETUP, 0, "%s/cpuset.cpus.effective: %s", place->path,
			       text);
	for (size_t i = 0; i < SPEC_CPUS_MAX / 64; i++)
		if ((used[i] & ~wanted[i]) != 0)
			return refuse(place, row, -EINVAL, value, err);
	return 0;
}

int cgroup_set_value(const struct cgroup_place *place, const struct cgroup_limit_row *row,
		     const char *value, struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(place->dir_fd, row->file, O_RDWR | O_CLOEXEC, 0);
	char text[LINE_MAX_BYTES];
	ssize_t n;
	int r = fd < 0 ? fd : io_write_fd(fd, value);

	if (r < 0)
		return refuse(place, row, r, value, err);
	n = io_read_fd(fd, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s/%s: read back", place->path, row->file);
	io_chomp(text);
	if (!cgroup_reads_back(value, text, row->in_pages))
		return err_set(err, ERR_SETUP, 0, "limits.%s: %s/%s reads back as %s, not %s",
			       spec_limit_names[row->limit], place->path, row->file, text, value);
	return row->limit == LIMIT_CPUSET && row->version == CGROUP_V2
		       ? check_cpuset(place, row, value, err)
		       : 0;
}

/* Whether the file has the line "MAJOR:MINOR ... rbps=N" or (v1) "MAJOR:MINOR N". */
static bool has_device_line(const char *text, const char *device, const char *value)
{
	size_t len = strlen(device);

	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n') {
		char words[256];

		if (strncmp(line, device, len) != 0 || line[len] != ' ')
			continue;
		str_format(words, sizeof(words), "%.*s ", (int)strcspn(line + len, "\n"),
			   line + len);
		return strstr(words, value) != NULL;
	}
	return false;
}

static int limit_device(const struct cgroup_place *place, const struct cgroup_limit_row *row,
			const char *device, uint64_t bytes, struct err *err)
{
	char wanted[64], value[128], text[DEVICE_LINES_MAX_BYTES];
	ssize_t n;
	int r;

	str_format(wanted, sizeof(wanted), "%s%llu",
		   row->version == CGROUP_V1     ? ""
		   : row->limit == LIMIT_IO_READ ? "rbps="
						 : "wbps=",
		   (unsigned long long)bytes);
	str_format(value, sizeof(value), "%s %s", device, wanted);
	r = io_write_text(place->dir_fd, row->file, value);
	if (r < 0)
		return refuse(place, row, r, value, err);
	n = io_read_text(place->dir_fd, row->file, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s/%s: read back", place->path, row->file);
	str_format(value, sizeof(value), " %s ", wanted);
	return has_device_line(text, device, value)
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "limits.%s: %s/%s does not read back for %s",
				 spec_limit_names[row->limit], place->path, row->file, device);
}

/* Every block device of the host, whole ones (the kernel takes no partitions). One that has no
 * size holds nothing. */
static int limit_devices(const struct cgroup_place *place, const struct cgroup_limit_row *row,
			 uint64_t bytes, struct err *err)
{
	DIR *devices = opendir("/sys/block");
	struct dirent *entry;
	int r = 0;

	if (devices == NULL)
		return err_set(err, ERR_SETUP, errno, "/sys/block: list the block devices");
	while (r == 0 && (entry = readdir(devices)) != NULL) {
		char path[PATH_MAX], device[32], size[32];

		if (entry->d_name[0] == '.')
			continue;
		str_format(path, sizeof(path), "/sys/block/%s/size", entry->d_name);
		if (io_read_text(AT_FDCWD, path, size, sizeof(size)) < 0 || size[0] == '0')
			continue;
		str_format(path, sizeof(path), "/sys/block/%s/dev", entry->d_name);
		if (io_read_text(AT_FDCWD, path, device, sizeof(device)) < 0)
			continue; /* it has just gone */
		io_chomp(device);
		r = limit_device(place, row, device, bytes, err);
	}
	closedir(devices);
	return r;
}

int cgroup_limit(struct cgroup *group, const struct spec_limits *spec, uint32_t limits,
		 uint32_t extra_tasks, struct err *err)
{
	for (size_t k = 0; k < cgroup_n_limit_rows; k++) {
		const struct cgroup_limit_row *row = &cgroup_limit_rows[k];
		enum cgroup_controller controller = cgroup_controller_of(row->limit);

		if ((limits & 1U << row->limit) == 0)
			continue;
		for (size_t i = 0; i < group->n; i++) {
			const struct cgroup_place *place = &group->places[i];
			char value[CGROUP_VALUE_MAX];
			int r;

			if (place->version != row->version ||
			    (place->controllers & 1U << controller) == 0)
				continue;
			if (row->format == NULL) {
				r = limit_devices(place, row, spec->total[row->limit].value, err);
			} else {
				row->format(spec, extra_tasks, value, sizeof(value));
				r = cgroup_set_value(place, row, value, err);
			}
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- members ---- */

int cgroup_clone_fd(const struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (group->places[i].version == CGROUP_V2)
			return group->places[i].dir_fd;
	return -EBADF;
}

int cgroup_join(const struct cgroup *group, struct err *err)
{
	for (size_t i = 0; i < group->n; i++) {
		int r;

		if (group->places[i].version != CGROUP_V1)
			continue;
		r = io_write_all(group->places[i].tasks_fd, "0", 1); /* the writer itself */
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: join", group->places[i].path);
	}
	return 0;
}

bool cgroup_has_path(const char *text, const struct cgroup_place *place)
{
	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n') {
		const char *names = line + strcspn(line, ":\n");
		const char *path =
			names + (*names == ':') + strcspn(names + (*names == ':'), ":\n");
		size_t len = strcspn(path, "\n");
		char list[LINE_MAX_BYTES];
		uint32_t here;

		if (*path != ':')
			continue;
		str_format(list, sizeof(list), "%.*s", (int)(path - names - 1), names + 1);
		here = cgroup_controllers_in(list, CGROUP_V1);
		if (place->version == CGROUP_V2 ? !str_has_prefix(line, "0::")
						: (here & place->controllers) != place->controllers)
			continue;
		return strlen(place->self_path) == len - 1 &&
		       strncmp(path + 1, place->self_path, len - 1) == 0;
	}
	return false;
}

int cgroup_verify_member(const struct cgroup *group, pid_t pid, struct err *err)
{
	char path[64], text[LINE_MAX_BYTES * 2];
	ssize_t n;

	str_format(path, sizeof(path), "/proc/%d/cgroup", pid);
	n = io_read_text(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s", path);
	for (size_t i = 0; i < group->n; i++)
		if (!cgroup_has_path(text, &group->places[i]))
			return err_set(err, ERR_SETUP, 0, "the workload is not in %s",
				       group->places[i].path);
	return 0;
}

void cgroup_kill(const struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (group->places[i].version == CGROUP_V2)
			ignore_result(io_write_text(group->places[i].dir_fd, "cgroup.kill", "1"),
				      "the death of init kills them as well");
	cgroup_thaw(group);
}

void cgroup_release(struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++) {
		close_fd(&group->places[i].dir_fd);
		close_fd(&group->places[i].tasks_fd);
	}
	if (group->n > 0)
		close_fd(&group->oom_event_fd);
}

/* ---- removing ---- */

/* Made by make_own_parent. It stays while another sandbox's group is in it. */
static void remove_own_parent(const char *path)
{
	char parent[CGROUP_DIR_MAX + CGROUP_NAME_MAX];

	str_format(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
	ignore_result(rmdir(parent), "EBUSY: others live in it");
}

/* Where it cannot be seen, it may be needed. */
static bool is_closed_to_owner(int dir_fd, const char *above)
{
	struct stat st;

	return fstatat(dir_fd, above, &st, 0) != 0 || st.st_uid != geteuid() ||
	       (st.st_mode & S_IWUSR) == 0;
}

bool cgroup_removal_is_privileged(const struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++) {
		const struct cgroup_place *place = &group->places[i];

		if (is_closed_to_owner(place->dir_fd, "..") ||
		    (place->parent_is_ours && is_closed_to_owner(place->dir_fd, "../..")))
			return true;
	}
	return false;
}

int cgroup_remove(const char *path, bool parent_is_ours, struct err *err)
{
	const struct timespec pause = {.tv_nsec = REMOVE_PAUSE_NS};
	const char *name = strrchr(path, '/');
	int r = -EBUSY;

	if (name == NULL || !str_has_prefix(name, "/cordon-"))
		return err_set(err, ERR_BUG, EINVAL, "%s: is no sandbox's group", path);
	/* Its last processes may just be dying: those of a keeper that was killed. */
	for (int i = 0; i < REMOVE_TRIES && r == -EBUSY; i++) {
		r = rmdir(path) != 0 ? -errno : 0;
		if (r == -EBUSY)
			nanosleep(&pause, NULL);
	}
	if (r < 0 && r != -ENOENT)
		return err_set(err, ERR_SETUP, -r, "%s: remove the group", path);
	if (parent_is_ours)
		remove_own_parent(path);
	return 0;
}
