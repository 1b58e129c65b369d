/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recorder of a kept sandbox in the background, launcher/recorder/recorder.c: its bytes
 * (launcher/image.S), and what it is started with. What it and the keeper say to each other is the
 * monitor's (monitor_image.h), of which it takes the place. */
#ifndef CORDON_LAUNCHER_RECORDER_IMAGE_H
#define CORDON_LAUNCHER_RECORDER_IMAGE_H

#include "launcher/log_format.h"

extern const char recorder_image[];
extern const unsigned int recorder_image_size;

/*
 * argv[1] is how many bytes of output may be kept in all (limits.output), argv[3] how many one log
 * file may have, in decimal. argv[2] has a letter for each descriptor, which stand at 0 and up in
 * that order; behind them stands the control socket.
 */
#define RECORDER_HAS_STDOUT 'o' /* the end of a pipe that the workload writes to, non-blocking */
#define RECORDER_HAS_STDERR 'e'
#define RECORDER_HAS_MASTER 't' /* in their place: the master of the workload's pty, likewise */
#define RECORDER_HAS_STDIN  'i' /* the end of a pipe that the workload reads, non-blocking */
#define RECORDER_HAS_LOG    'l' /* a log file */
enum { RECORDER_SOURCES_MAX = 2, RECORDER_FDS_MAX = RECORDER_SOURCES_MAX + 1 + LOG_FILES_MAX };

#endif
