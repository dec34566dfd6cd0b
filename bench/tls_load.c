/*
 * tls_load.c - a TLS client that loads a server for bench/serve.py: C connections one after the
 * other, R requests each, session resumed from the first one on when asked.
 *
 * usage: tls_load PORT PATH CONNECTIONS REQUESTS resume|full CERT KEY CA
 * Prints: ok=N resumed=N bytes=N
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct load {
	uint16_t port;
	const char *path;
	long requests;
	gnutls_certificate_credentials_t cred;
	gnutls_datum_t ticket; /* session data of the last connection, to resume */
	long ok, resumed;
	long long bytes;
};

static void die(const char *what, int code)
{
	fprintf(stderr, "tls_load: %s: %s\n", what, code ? gnutls_strerror(code) : "failed");
	exit(1);
}

static int dial(uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		die("connect", 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static ssize_t recv_some(gnutls_session_t s, char *buf, size_t len)
{
	ssize_t n;

	do
		n = gnutls_record_recv(s, buf, len);
	while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
	return n;
}

/* One request and its whole answer; false when it was not a 200. */
static int request(struct load *l, gnutls_session_t s)
{
	static char buf[65536];
	size_t have = 0;
	long long length = -1, body;
	char *end = NULL, *header;
	int n = snprintf(buf, sizeof(buf), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", l->path);

	if (gnutls_record_send(s, buf, (size_t)n) != n)
		return 0;
	while (!end) {
		ssize_t got = recv_some(s, buf + have, sizeof(buf) - 1 - have);

		if (got <= 0)
			return 0;
		have += (size_t)got;
		buf[have] = 0;
		end = strstr(buf, "\r\n\r\n");
	}
	header = strcasestr(buf, "\r\nContent-Length:");
	if (header)
		length = atoll(header + 17);
	if (strncmp(buf, "HTTP/1.1 200", 12) || length < 0)
		return 0;
	for (body = (long long)(have - (size_t)(end + 4 - buf)); body < length;) {
		ssize_t got = recv_some(s, buf, sizeof(buf));

		if (got <= 0)
			return 0;
		body += got;
	}
	l->bytes += body;
	l->ok++;
	return 1;
}

static void connection(struct load *l, int resume)
{
	gnutls_session_t s;
	int r, fd = dial(l->port);

	gnutls_init(&s, GNUTLS_CLIENT);
	gnutls_set_default_priority(s);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, l->cred);
	gnutls_server_name_set(s, GNUTLS_NAME_DNS, "localhost", 9);
	if (resume && l->ticket.data)
		gnutls_session_set_data(s, l->ticket.data, l->ticket.size);
	gnutls_transport_set_int(s, fd);
	do
		r = gnutls_handshake(s);
	while (r < 0 && !gnutls_error_is_fatal(r));
	if (r < 0)
		die("handshake", r);
	for (long i = 0; i < l->requests; i++)
		if (!request(l, s))
			die("answer was not a 200", 0);
	l->resumed += gnutls_session_is_resumed(s) != 0;
	if (resume) {
		gnutls_free(l->ticket.data);
		l->ticket.data = NULL;
		gnutls_session_get_data2(s, &l->ticket);
	}
	gnutls_bye(s, GNUTLS_SHUT_WR);
	gnutls_deinit(s);
	close(fd);
}

int main(int argc, char **argv)
{
	struct load l = { 0 };
	long connections;
	int r, resume;

	if (argc != 9) {
		fprintf(stderr, "usage: tls_load PORT PATH CONNECTIONS REQUESTS resume|full CERT "
				"KEY CA\n");
		return 2;
	}
	l.port = (uint16_t)atoi(argv[1]);
	l.path = argv[2];
	connections = atol(argv[3]);
	l.requests = atol(argv[4]);
	resume = !strcmp(argv[5], "resume");
	gnutls_certificate_allocate_credentials(&l.cred);
	r = gnutls_certificate_set_x509_key_file(l.cred, argv[6], argv[7], GNUTLS_X509_FMT_PEM);
	if (r < 0)
		die(argv[6], r);
	r = gnutls_certificate_set_x509_trust_file(l.cred, argv[8], GNUTLS_X509_FMT_PEM);
	if (r < 0)
		die(argv[8], r);
	for (long i = 0; i < connections; i++)
		connection(&l, resume);
	printf("ok=%ld resumed=%ld bytes=%lld\n", l.ok, l.resumed, l.bytes);
	gnutls_free(l.ticket.data);
	gnutls_certificate_free_credentials(l.cred);
	return 0;
}
