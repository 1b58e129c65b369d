/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who on the host has a port: for a message. */
#ifndef CORDON_NET_SOCKET_OWNER_H
#define CORDON_NET_SOCKET_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "PID (NAME)" of one process that has a socket of that protocol at the port, in the caller's
 * network namespace. Needs: CAP_SYS_PTRACE for others' processes. False: none was found. */
bool socket_find_owner(uint8_t protocol, uint16_t port, char *ret, size_t size);

#endif
