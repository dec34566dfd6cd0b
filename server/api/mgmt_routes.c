/*
 * The management API's table of routes and its background jobs.
 */
#include "server/server.h"

const struct mue_route mue_routes_mgmt[] = {
	{ 0 },
};

const struct mue_job mue_jobs_mgmt[] = {
	{ 0 },
};
