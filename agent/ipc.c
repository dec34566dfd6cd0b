#include "agent/ipc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

void mue_ipc_make(struct mue_ipc_msg *m, enum mue_ipc_type type, const char *action)
{
	memset(m, 0, sizeof(*m));
	m->type = (uint32_t)type;
	if (action)
		snprintf(m->action, sizeof(m->action), "%s", action);
}

void mue_ipc_widen(int fd)
{
	int size = 2 * (MUE_IPC_DATA + (int)sizeof(struct mue_ipc_msg));

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int mue_ipc_send(int fd, const struct mue_ipc_msg *m, const void *data, size_t len,
		 struct mue_error *e)
{
	struct mue_ipc_msg head = *m;
	union {
		const void *in;
		void *out;
	} p = { .in = data }; /* sendmsg only reads it */
	struct iovec iov[2] = { { &head, sizeof(head) }, { p.out, len } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = len ? 2 : 1 };
	ssize_t n;

	do {
		n = sendmsg(fd, &h, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	mue_fail_errno(e, "message %u to the other process", head.type);
	if (e)
		e->code = MUE_ELINK;
	return MUE_ELINK;
}

static int wait_for(int fd, int timeout_ms, struct mue_error *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec t = { timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000 };
	sigset_t none;
	int n;

	/* Signals that the caller holds back arrive here and nowhere else. */
	sigemptyset(&none);
	n = ppoll(&p, 1, timeout_ms < 0 ? NULL : &t, &none);
	if (n > 0)
		return 0;
	if (n == 0)
		return mue_fail(e, MUE_ETIMEOUT, "the other process does not answer");
	if (errno == EINTR)
		return mue_fail(e, MUE_ECANCELLED, "stopped by a signal");
	return mue_fail_errno(e, "poll");
}

int mue_ipc_recv(int fd, struct mue_ipc_msg *ret, void *data, size_t *ret_len, int timeout_ms,
		 struct mue_error *e)
{
	struct iovec iov[2] = { { ret, sizeof(*ret) }, { data, MUE_IPC_DATA } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = data ? 2 : 1 };
	ssize_t n;
	int r = wait_for(fd, timeout_ms, e);

	if (r < 0)
		return r;
	do {
		n = recvmsg(fd, &h, 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return mue_fail(e, MUE_ELINK, "the other process ended");
	if (n < 0)
		return mue_fail_errno(e, "message from the other process");
	if ((size_t)n < sizeof(*ret) || h.msg_flags & MSG_TRUNC || ret->type < MUE_IPC_OFFER ||
	    ret->type > MUE_IPC_IDLE)
		return mue_fail(e, MUE_EPROTOCOL, "malformed message from the other process");
	ret->action[sizeof(ret->action) - 1] = 0;
	ret->name[sizeof(ret->name) - 1] = 0;
	ret->text[sizeof(ret->text) - 1] = 0;
	if (ret_len)
		*ret_len = (size_t)n - sizeof(*ret);
	return 0;
}
