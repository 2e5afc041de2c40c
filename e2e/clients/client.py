"""Calls the local server with the client that openapi-python-client makes of the OpenAPI document."""

import base64
import datetime
import os

from giftstats_client import AuthenticatedClient
from giftstats_client.api.stats import get_gift_stats, get_gift_stats_batch, get_room_stats
from giftstats_client.api.streams import get_top_senders, list_streams, report_stream_end
from giftstats_client.models import (
    BatchFailure,
    BatchRequest,
    BatchResults,
    ErrorCode,
    GiftStats,
    Problem,
    Query,
    RoomStats,
    RoomTotals,
    StreamAccount,
    StreamEnd,
    StreamSummary,
    Streams,
    TopSenders,
)
from giftstats_client.types import UNSET

base_url, host, rooms = os.environ["URL"], os.environ["HOST"], os.environ["ROOMS"].split()
room = rooms[0]
credentials = base64.b64encode(f"{host}:{os.environ['USERSIG']}".encode()).decode()


def client(token, scheme="Bearer"):
    return AuthenticatedClient(base_url=base_url, token=token, prefix=scheme, raise_on_unexpected_status=True)


back_office, app_user = client(os.environ["API_KEY"]), client(credentials, "Basic")


def equal(got, want):
    """Fails unless got has the type and the value of want."""
    assert type(got) is type(want) and got == want, f"{got!r}, want {want!r}"


def parsed(answer, status, model):
    """Returns the body, which must have been parsed as the model."""
    assert answer.status_code == status, f"{answer.status_code}, want {status}: {answer.content}"
    assert isinstance(answer.parsed, model), f"{answer.parsed!r}, want a {model.__name__}"
    return answer.parsed


def refused(answer, status, code):
    problem = parsed(answer, status, Problem)
    equal(problem.code, code)
    return problem


stats = parsed(get_gift_stats.sync_detailed(client=back_office, room_id=room, account=host), 200, GiftStats)
equal(stats.total_coins, 7)
equal(stats.from_, UNSET)
assert stats.fetched_at.tzinfo, "fetched_at is not a time with a zone"
own = parsed(get_gift_stats.sync_detailed(client=app_user, room_id=room, cache_control="max-age=60"), 200, GiftStats)
equal(own.total_coins, 7)

queries = BatchRequest(queries=[Query(room_id=room, account=host), Query(room_id="no-such-room", account=host)])
batch = parsed(get_gift_stats_batch.sync_detailed(client=back_office, body=queries), 200, BatchResults)
equal((batch.succeeded, batch.failed), (1, 1))
first, second = batch.results
assert isinstance(first, GiftStats) and isinstance(second, BatchFailure), batch
equal(first.total_count, 1)
equal(second.error.code, ErrorCode.ROOM_NOT_FOUND)

totals = parsed(get_room_stats.sync_detailed(client=back_office, room_id=room), 200, RoomStats)
equal(totals.total_gift_coins, 7)

refused(get_gift_stats.sync_detailed(client=client("wrong"), room_id=room, account=host), 401, ErrorCode.UNAUTHENTICATED)
refused(get_room_stats.sync_detailed(client=app_user, room_id=room), 403, ErrorCode.FORBIDDEN)
missing = refused(get_gift_stats.sync_detailed(client=back_office, room_id="no-such-room", account=host), 404, ErrorCode.ROOM_NOT_FOUND)
equal(missing.upstream.error_code, 100004)
refused(get_gift_stats.sync_detailed(client=back_office, room_id=room), 400, ErrorCode.INVALID_REQUEST)

senders = parsed(get_top_senders.sync_detailed(client=back_office, room_id=room, limit=3), 200, TopSenders).senders
equal((senders[0].account, senders[0].rank), ("viewer", 1))

for ended in rooms:
    event = StreamEnd(event_id=f"end-of-{ended}", room_id=ended, accounts=[host], reason=None)
    summary = parsed(report_stream_end.sync_detailed(client=back_office, body=event), 200, StreamSummary)
    equal(summary.data.event_id, f"end-of-{ended}")
    assert isinstance(summary.data.room, RoomTotals), summary
    equal(summary.data.room.total_gift_coins, 7 if ended == room else 0)

seen, cursor = [], UNSET
while True:
    start, end = datetime.date(2026, 1, 1), datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
    answer = list_streams.sync_detailed(client=app_user, account=host, from_=start, to=end, limit=1, cursor=cursor)
    page = parsed(answer, 200, Streams)
    for stream in page.streams:
        seen.append(stream.room_id)
        assert all(isinstance(each, StreamAccount) and each.account == host for each in stream.accounts), stream
    cursor = page.next_
    assert ("Link" in answer.headers) == bool(cursor), answer.headers
    if not cursor:
        break
equal(sorted(seen), sorted(rooms))
