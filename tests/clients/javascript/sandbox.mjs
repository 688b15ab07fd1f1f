// Where the sandbox is, and a token that it always accepts: given by the Python test that runs these.
export const { dataverse, finance, dataverse_tls: dataverseTls, finance_tls: financeTls } = JSON.parse(process.env.SANDBOX);
export const headers = { Authorization: "Bearer sandbox-token" };
export const dataverseApi = `${dataverse}/api/data/v9.2/`;
export const financeApi = `${finance}/data/`;
