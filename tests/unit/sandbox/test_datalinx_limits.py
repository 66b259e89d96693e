"""Requests of an organization: a minute's count for the headers, a bucket for the burst."""

from __future__ import annotations

from agent.sandbox.datalinx_limits import OrganizationLimit


def test_a_burst_is_admitted_and_fills_again_at_the_tiers_rate():
    limit = OrganizationLimit()
    assert [limit.spend("free", 1000.0).allowed for _ in range(11)] == [True] * 10 + [False]
    assert limit.spend("free", 1000.9).allowed is False
    assert limit.spend("free", 1001.0).allowed is True
    assert limit.spend("free", 1001.0).allowed is False
    assert [limit.spend("free", 1100.0).allowed for _ in range(11)] == [True] * 10 + [False]


def test_a_refusal_of_the_burst_leaves_the_minute_as_it_was():
    limit = OrganizationLimit()
    for _ in range(10):
        limit.spend("free", 1000.0)
    refused = limit.spend("free", 1000.0)
    assert (refused.limit, refused.remaining, refused.reset, refused.retry_after) == (60, 50, 1060, 1)


def test_the_minute_ends_what_the_bucket_would_admit():
    limit = OrganizationLimit()
    admitted = sum(limit.spend("free", 1000.0 + second * 59 / 600).allowed for second in range(600))
    assert admitted == 60
    assert limit.spend("free", 1059.9).allowed is False
    assert limit.spend("free", 1060.0).allowed is True


def test_a_clock_that_goes_back_opens_a_new_minute():
    limit = OrganizationLimit()
    for _ in range(10):
        limit.spend("free", 1000.0)
    assert limit.spend("free", 500.0).remaining == 59
