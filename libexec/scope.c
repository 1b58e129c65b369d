/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cordon-scope: asks systemd for a control group in which the keeper may make groups of its own: a
 * scope with Delegate=yes that holds the process which started this one, and nobody else.
 *
 *	cordon-scope user|system RUNTIME-DIRECTORY UNIT
 *
 * Prints the scope's path as /proc/PID/cgroup has it, or one line that says why there is none
 *(which never begins with a slash), and exits 1. Executed by the keeper before there is a sandbox,
 *with an empty environment. A program of its own, so that cordon is linked with no library of
 *systemd's.
 *
 * It asks at the manager's own socket, as systemctl does: no D-Bus daemon is needed, none is
 *started for it, and whose socket it is can be seen. Only a manager in this process's own pid
 *namespace is asked: another one would take the pid for another process.
 *
 * Sources: org.freedesktop.systemd1(5); systemd.scope(5); systemd.io/CGROUP_DELEGATION.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESS_MAX = 256, WAIT_US = 2000000, ALARM_SECONDS = 3 };

static const char service[] = "org.freedesktop.systemd1";
static const char object[] = "/org/freedesktop/systemd1";
static const char manager[] = "org.freedesktop.systemd1.Manager";

struct job {
	const char *path; /* the job's object */
	bool is_over;
	bool is_done;
	char result[32]; /* as systemd names it: "done", "failed", ... */
};

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return 1;
}

/* Whether the socket's other end is this user's (or root's), in this pid namespace. */
static int check_peer(sd_bus *bus, bool is_system)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	struct stat own_ns, peer_ns;
	char path[64];
	int fd = sd_bus_get_fd(bus);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return -EBADF;
	if (peer.uid != (is_system ? 0 : geteuid()) || peer.pid <= 0)
		return -EPERM;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", peer.pid);
	if (stat("/proc/self/ns/pid", &own_ns) != 0 || stat(path, &peer_ns) != 0)
		return -errno;
	return own_ns.st_ino == peer_ns.st_ino && own_ns.st_dev == peer_ns.st_dev ? 0 : -EXDEV;
}

static int open_manager(const char *runtime_dir, bool is_system, sd_bus **ret)
{
	char address[ADDRESS_MAX];
	sd_bus *bus = NULL;
	int n = snprintf(address, sizeof(address), "unix:path=%s/systemd/private", runtime_dir);
	int r = n < 0 || (size_t)n >= sizeof(address) ? -ENAMETOOLONG : sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, WAIT_US);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = check_peer(bus, is_system);
	if (r < 0) {
		sd_bus_close_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct job *job = userdata;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0 ||
	    job->path == NULL || strcmp(path, job->path) != 0)
		return 0;
	job->is_over = true;
	job->is_done = strcmp(result, "done") == 0;
	snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

static int make_request(sd_bus *bus, const char *unit, sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, service, object, manager,
					       "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", unit, "fail");
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sv)", 4, "Description", "s", "cordon: a sandbox",
					  "PIDs", "au", 1, (uint32_t)getppid(), "Delegate", "b", 1,
					  "CollectMode", "s", "inactive-or-failed");
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r < 0) {
		sd_bus_message_unref(m);
		return r;
	}
	*ret = m;
	return 0;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int wait_for(sd_bus *bus, struct job *job)
{
	int64_t until = now_us() + WAIT_US;

	while (!job->is_over) {
		int r = sd_bus_process(bus, NULL);
		int64_t left = until - now_us();

		if (r < 0)
			return r;
		if (left <= 0)
			return -ETIMEDOUT;
		if (r == 0 && sd_bus_wait(bus, (uint64_t)left) < 0)
			return -EIO;
	}
	return job->is_done ? 0 : -ECANCELED;
}

/*
 * The manager has agreed and could not do it: moving the process is all that a scope's start is. A
 * user's manager has the system's do that where it has not got the right, as with a process of a
 * login session, and it asks by the system's bus (unit_attach_pid_to_cgroup_via_bus in
 * src/core/cgroup.c of systemd 252).
 */
static int refuse_job(const char *unit, const struct job *job, bool is_system)
{
	return refuse("%s: it could not be started (%s): the manager could not move cordon into "
		      "it%s",
		      unit, job->result,
		      is_system ? ""
				: "; from a login session it needs the system's bus for that "
				  "(dbus.service)");
}

static int start(sd_bus *bus, const char *unit, bool is_system)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *request = NULL, *reply = NULL;
	struct job job = {0};
	int r = sd_bus_match_signal(bus, NULL, NULL, object, manager, "JobRemoved", on_job_removed,
				    &job);

	if (r >= 0)
		r = make_request(bus, unit, &request);
	if (r >= 0)
		r = sd_bus_call(bus, request, WAIT_US, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job.path);
	if (r >= 0)
		r = wait_for(bus, &job);
	if (job.is_over && !job.is_done)
		return refuse_job(unit, &job, is_system);
	return r < 0 ? refuse("%s: %s", unit, error.message != NULL ? error.message : strerror(-r))
		     : 0;
}

static int print_path(sd_bus *bus, const char *unit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *unit_object = NULL, *path = NULL;
	int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &unit_object);

	if (r >= 0)
		r = sd_bus_get_property_string(bus, service, unit_object,
					       "org.freedesktop.systemd1.Scope", "ControlGroup",
					       &error, &path);
	if (r < 0 || path[0] != '/')
		return refuse("%s: its control group is not known: %s", unit,
			      error.message != NULL ? error.message
						    : strerror(r < 0 ? -r : EPROTO));
	printf("%s\n", path);
	return 0;
}

int main(int argc, char **argv)
{
	bool is_system = argc == 4 && strcmp(argv[1], "system") == 0;
	sd_bus *bus = NULL;
	int r;

	if (argc != 4 || (!is_system && strcmp(argv[1], "user") != 0))
		return refuse("usage: cordon-scope user|system RUNTIME-DIRECTORY UNIT");
	alarm(ALARM_SECONDS); /* whatever hangs */
	r = open_manager(argv[2], is_system, &bus);
	if (r < 0)
		return refuse("systemd cannot be reached: %s", strerror(-r));
	r = start(bus, argv[3], is_system);
	if (r == 0)
		r = print_path(bus, argv[3]);
	sd_bus_flush_close_unref(bus);
	return fflush(stdout) == 0 ? r : 1;
}
