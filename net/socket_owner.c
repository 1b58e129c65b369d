/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See socket_owner.h: /proc/net/tcp and its like give the number of the socket, /proc/PID/fd who
 * has it (proc_pid_net(5)). */
#include "net/socket_owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

enum { LINE_SIZE = 512 };

/* sl local:port remote:port state queues timer retransmits uid timeout inode. Takes line apart. */
static bool read_line(char *line, unsigned long *ret_port, unsigned long *ret_inode)
{
	enum { LOCAL_FIELD = 1, INODE_FIELD = 9 };
	char *rest = NULL, *field = strtok_r(line, " ", &rest);
	const char *colon = NULL;

	for (int i = 0; field != NULL && i < INODE_FIELD; i++) {
		if (i == LOCAL_FIELD)
			colon = strchr(field, ':');
		field = strtok_r(NULL, " ", &rest);
	}
	if (field == NULL || colon == NULL)
		return false;
	*ret_port = strtoul(colon + 1, NULL, 16);
	*ret_inode = strtoul(field, NULL, 10);
	return true;
}

static unsigned long find_socket(const char *path, uint16_t port)
{
	FILE *file = fopen(path, "re");
	unsigned long found = 0;
	char line[LINE_SIZE];

	while (file != NULL && found == 0 && fgets(line, sizeof(line), file) != NULL) {
		unsigned long local, inode;

		if (read_line(line, &local, &inode) && local == port)
			found = inode;
	}
	if (file != NULL)
		ignore_result(fclose(file), "read-only");
	return found;
}

static bool has_socket(const char *pid, const char *wanted)
{
	char path[64], text[64];
	const struct dirent *entry;
	bool has = false;
	DIR *dir;

	str_format(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir != NULL && !has && (entry = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, text, sizeof(text) - 1);

		text[n > 0 ? n : 0] = '\0';
		has = str_equal(text, wanted);
	}
	if (dir != NULL)
		closedir(dir);
	return has;
}

bool socket_find_owner(uint8_t protocol, uint16_t port, char *ret, size_t size)
{
	static const char *const paths[][2] = {{"/proc/self/net/tcp", "/proc/self/net/tcp6"},
					       {"/proc/self/net/udp", "/proc/self/net/udp6"}};
	bool is_udp = protocol == IPPROTO_UDP, found = false;
	unsigned long inode = find_socket(paths[is_udp][0], port);
	char wanted[64], path[64], name[32];
	const struct dirent *entry;
	DIR *dir;

	if (inode == 0)
		inode = find_socket(paths[is_udp][1], port);
	if (inode == 0)
		return false;
	str_format(wanted, sizeof(wanted), "socket:[%lu]", inode);
	dir = opendir("/proc");
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
		    !has_socket(entry->d_name, wanted))
			continue;
		str_format(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (io_read_text(AT_FDCWD, path, name, sizeof(name)) < 0)
			name[0] = '\0';
		io_chomp(name);
		str_make_harmless(name, strlen(name));
		str_format(ret, size, "%s (%s)", entry->d_name, name);
		found = true;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}
