"""A sandbox with both faces of DataOS, and a client for each."""

from __future__ import annotations

from typing import Any

import httpx

from tests.unit.sandbox.support import TOKEN, WORKFLOW, Sandbox, SandboxTransport

POROS = "/dataos-poros/poros/api/v1"
REPORTS = "/dataos-poros/collated/api/v1/reports/resources"
DOCUMENTED = "/dataos/v1"
DEPOT: dict[str, Any] = {
    "name": "sampleinstdepot",
    "version": "v2alpha",
    "type": "depot",
    "depot": {"type": "S3", "secrets": [{"name": "sampleinstsecret", "allkeys": True}]},
}
SECRET: dict[str, Any] = {
    "name": "sampleinstsecret",
    "version": "v1",
    "type": "instance-secret",
    "instance-secret": {"type": "key-value", "acl": "r", "data": {"password": "p"}},
}


class TwoFaces(Sandbox):
    """`poros` is let in by `apikey`, as the vendor's own client is; `client`, by a Bearer token, goes anywhere."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"platform": ["dataos", "dataos-poros"], **options})
        self.poros = self.poros_with(TOKEN)

    def poros_with(self, key: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=SandboxTransport(self.app), base_url=f"http://sandbox{POROS}", headers={"apikey": key}
        )

    async def make(self, document: dict[str, Any] | None = None, **changes: Any) -> httpx.Response:
        """Create through Poros, on the level of the document."""
        body = {**(document or WORKFLOW), **changes}
        where = f"/workspaces/{body['workspace']}/resources" if "workspace" in body else "/resources"
        return await self.poros.post(where, json=body)

    async def read(self, path: str) -> Any:
        """What Poros answers to a get that must succeed."""
        answer = await self.poros.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()
