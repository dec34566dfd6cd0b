/*
 * mue-server: one process, one data folder.  Manual: packaging/man/mue-server.8.
 */
#include "host/log.h"
#include "server/auth.h"
#include "server/http/httpd.h"
#include "server/server.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, POLL_S = 300, POLL_MAX_S = 86399 };

static const char usage[] =
	"usage: mue-server --data DIR [options]\n"
	"  --data DIR            where everything is kept; made when missing\n"
	"  --listen ADDR:PORT    HTTPS, default 0.0.0.0:8443; port 0 takes a free one\n"
	"  --http ADDR:PORT      plain HTTP too, for a proxy in front; default: none\n"
	"  --name NAME           DNS name or address for the TLS certificate; may be repeated\n"
	"  --poll SECONDS        how often devices ask for work, default 300\n"
	"  --threads N           HTTP threads, default by the number of processors\n"
	"  --accel PREFIX        hand downloads to nginx: X-Accel-Redirect: PREFIX/ab/cdef...\n"
	"  --version, --help\n"
	"Exit codes: 0 stopped by a signal, 1 could not start, 2 wrong usage.\n";

enum option_id {
	OPT_DATA = 1,
	OPT_LISTEN,
	OPT_HTTP,
	OPT_NAME,
	OPT_POLL,
	OPT_THREADS,
	OPT_ACCEL,
	OPT_VERSION,
	OPT_HELP
};

static const struct option options[] = {
	{ "data", required_argument, NULL, OPT_DATA },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "http", required_argument, NULL, OPT_HTTP },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "poll", required_argument, NULL, OPT_POLL },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "accel", required_argument, NULL, OPT_ACCEL },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int number(const char *text, unsigned min, unsigned max, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || n < min || n > max) {
		fprintf(stderr, "mue-server: %s is not a number in %u..%u\n", text, min, max);
		return -1;
	}
	*ret = (unsigned)n;
	return 0;
}

/* 0: go on; 1: done, exit 0; -1: usage. */
static int take_option(int id, struct mue_server_config *c)
{
	switch (id) {
	case OPT_DATA:
		c->data = optarg;
		return 0;
	case OPT_LISTEN:
		c->listen = optarg;
		return 0;
	case OPT_HTTP:
		c->http = optarg;
		return 0;
	case OPT_NAME:
		if (c->name_count == MUE_SERVER_NAMES)
			return -1;
		c->names[c->name_count++] = optarg;
		return 0;
	case OPT_POLL:
		return number(optarg, 1, POLL_MAX_S, &c->poll_s);
	case OPT_THREADS:
		return number(optarg, 1, 256, &c->threads);
	case OPT_ACCEL:
		c->accel = optarg;
		return 0;
	case OPT_VERSION:
		puts("mue-server " MUE_VERSION);
		return 1;
	case OPT_HELP:
		fputs(usage, stdout);
		return 1;
	default:
		return -1;
	}
}

static void say_where(const struct mue_server *s, const char *first_token)
{
	if (*first_token)
		printf("admin-token %s\n", first_token);
	printf("listening https %s\n", mue_httpd_https_address(s->httpd));
	if (s->config.http)
		printf("listening http %s\n", mue_httpd_http_address(s->httpd));
	printf("ready\n");
	fflush(stdout);
	mue_log(MUE_LOG_INFO, "server.ready", "https", mue_httpd_https_address(s->httpd), "data",
		s->config.data, NULL);
}

int main(int argc, char **argv)
{
	struct mue_server_config config = { .listen = "0.0.0.0:8443", .poll_s = POLL_S };
	char first_token[MUE_TOKEN_SIZE] = "";
	struct mue_server *server = NULL;
	struct mue_error e = { 0 };
	sigset_t signals;
	int id, r, got;

	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		r = take_option(id, &config);
		if (r > 0)
			return 0;
		if (r < 0)
			goto wrong;
	}
	if (!config.data || optind != argc)
		goto wrong;

	/* Before the first thread, so that every thread inherits it. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);

	if (mue_server_start(&config, &server, first_token, &e) < 0) {
		mue_log(MUE_LOG_ERROR, "server.failed", "verdict", mue_err_name(e.code), "why",
			e.text, NULL);
		return 1;
	}
	say_where(server, first_token);
	sigwait(&signals, &got);
	mue_log(MUE_LOG_INFO, "server.stopping", "signal", MUE_LOG_NUM(got), NULL);
	mue_server_stop(server);
	mue_log(MUE_LOG_INFO, "server.stopped", NULL);
	return 0;
wrong:
	fputs(usage, stderr);
	return EXIT_USAGE;
}
