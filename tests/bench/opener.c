/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* opener FILE COMMAND...: executes the command with FILE open as descriptor 9. For --seccomp 9:
 * what is read to its end by one launch must be opened anew for the next. An argument "@" becomes
 * the process id: some tools demand a name for each container. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char name[32];
	int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1;

	if (fd < 0 || dup2(fd, 9) != 9)
		return 125;
	snprintf(name, sizeof(name), "bench%d", getpid());
	for (int i = 3; i < argc; i++)
		if (strcmp(argv[i], "@") == 0)
			argv[i] = name;
	execv(argv[2], argv + 2);
	return 127;
}
