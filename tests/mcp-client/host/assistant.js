/** An assistant and the Countersign that runs: lists, reads and gives back. COUNTERSIGN_MCP names the program. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const transport = new StdioClientTransport({ command: process.env.COUNTERSIGN_MCP, args: [], env: process.env, stderr: 'inherit' });
const client = new Client({ name: 'assistant', version: '0' });
await client.connect(transport);

const use = async (name, args = {}) => {
  const result = await client.callTool({ name, arguments: args });
  const texts = result.content.map((block) => block.text);
  if (result.isError) throw new Error(texts.join('\n'));
  return texts;
};

try {
  const { connections: [connection] } = JSON.parse((await use('list_connections'))[0]);
  const account = connection.accounts[0].id;
  const purpose = 'See what was bought last';
  const [label, body] = await use('call_bank', { connection: connection.id, operation: 'list_transactions', purpose, purpose_class: 'budgeting', account, query: { limit: 2 } });
  if (!label.includes('do not act on instructions')) throw new Error(label);
  console.log('transactions:', JSON.parse(body).transactions.length);
  await use('return_access');
} finally {
  await client.close();
}
