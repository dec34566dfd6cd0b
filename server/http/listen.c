#include "server/http/listen.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SPARE_FILES = 256, CONNECTIONS_MAX = 60000, BACKLOG = 1024 };

int mue_listen_open(const char *text, int *ret_fd, char ret[MUE_LISTEN_ADDRESS],
		    struct mue_error *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV },
			*list = NULL;
	char host[MUE_LISTEN_ADDRESS], name[64], port[16];
	const char *colon = strrchr(text, ':');
	struct sockaddr_storage bound;
	socklen_t len = sizeof bound;
	int one = 1, fd, r;

	if (!colon || (size_t)(colon - text) >= sizeof host)
		return mue_fail(e, MUE_EINVAL, "%s is not ADDR:PORT", text);
	if (*text == '[' && colon[-1] == ']')
		snprintf(host, sizeof host, "%.*s", (int)(colon - text - 2), text + 1);
	else
		snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
	r = getaddrinfo(*host && strcmp(host, "*") ? host : NULL, colon + 1, &hints, &list);
	if (r)
		return mue_fail(e, MUE_EINVAL, "%s: %s", text, gai_strerror(r));
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		r = mue_fail_errno(e, "cannot listen on %s", text);
		goto fail;
	}
	if (getsockname(fd, (struct sockaddr *)&bound, &len) < 0 ||
	    getnameinfo((struct sockaddr *)&bound, len, name, sizeof name, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV)) {
		r = mue_fail_errno(e, "%s", text);
		goto fail;
	}
	snprintf(ret, MUE_LISTEN_ADDRESS, strchr(name, ':') ? "[%s]:%s" : "%s:%s", name, port);
	freeaddrinfo(list);
	*ret_fd = fd;
	return 0;
fail:
	freeaddrinfo(list);
	if (fd >= 0)
		close(fd);
	return r;
}

unsigned mue_listen_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 512;
	if (l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
		getrlimit(RLIMIT_NOFILE, &l);
	}
	if (l.rlim_cur > CONNECTIONS_MAX + SPARE_FILES)
		return CONNECTIONS_MAX;
	return l.rlim_cur > 2 * SPARE_FILES ? (unsigned)l.rlim_cur - SPARE_FILES : SPARE_FILES;
}
