//! The server: which tools there are, and how a call of one is carried out.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities,
    ServerConfig, Tool as Described,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use super::Place;
use super::calls::{Calls, Waiting};
use super::listening::Listening;
use super::tools::{TOOLS, Tool};
use crate::execute::Signal;
use crate::ops::Stop;

const INSTRUCTIONS: &str = "\
Researches which plugins can do a task, plans it step by step, and carries the plan out with a checkpoint in git after each step. \
Plan first, show the plan to the person, and execute it only when the person has said so; the digest says that it is the plan that was shown. \
Approving a plan is never done here: where the project asks for an approval, a person gives it with `orchestrate approve`.";

/// The server of one client.
#[derive(Clone)]
pub struct Server {
    place: Place,
    pub calls: Calls,
}

impl Server {
    pub fn new(place: Place, stop: &Stop) -> Server {
        Server {
            place,
            calls: Calls::new(stop),
        }
    }

    /// Carries a call out on a thread of its own, with its progress told to the client.
    async fn carry_out(
        &self,
        tool: &'static Tool,
        arguments: Value,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let (tell, mut told) = unbounded_channel();
        let (place, call) = (self.place.clone(), self.calls.begin());
        let waiting = Waiting(call.stop.clone());
        let words = place.words;
        let mut working = tokio::task::spawn_blocking(move || {
            (tool.call)(&place, arguments, &mut Listening { tell }, &call.stop)
        });
        let token = context.meta.get_progress_token();
        let mut count = 0.0;
        let answer = loop {
            tokio::select! {
                biased;
                Some(text) = told.recv() => {
                    count += 1.0;
                    if let Some(token) = &token {
                        let progress = ProgressNotificationParam::new(token.clone(), count).with_message(text);
                        context.peer.notify_progress(progress).await.ok();
                    }
                }
                () = context.ct.cancelled(), if waiting.0.signal().is_none() => waiting.0.request(Signal::Interrupt),
                answer = &mut working => break answer,
            }
        };
        match answer {
            Ok(Ok(answer)) => {
                let mut result = CallToolResult::structured(answer.value);
                result.content = vec![ContentBlock::text(answer.text)];
                result.is_error = Some(answer.is_failure);
                Ok(result)
            }
            Ok(Err(error)) => Ok(CallToolResult::error(vec![ContentBlock::text(words(
                &error,
            ))])),
            Err(_) => Err(ErrorData::internal_error(
                "this is a bug in orchestrate; what a run had done before is kept in its branch",
                None,
            )),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let us = Implementation::new("orchestrate", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(us)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = TOOLS.iter().map(Tool::described).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    fn get_tool(&self, name: &str) -> Option<Described> {
        let tool = TOOLS.iter().find(|tool| tool.name == name);
        tool.map(Tool::described)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = TOOLS.iter().find(|tool| tool.name == request.name) else {
            let unknown = format!("there is no tool `{}`", request.name.escape_debug());
            return Err(ErrorData::invalid_params(unknown, None));
        };
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let result = self.carry_out(tool, arguments, &context).await?;
        Ok(result.into())
    }
}
