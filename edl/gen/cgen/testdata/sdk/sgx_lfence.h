/* What generated code needs of the SDK's header of this name. */
#pragma once

void sgx_lfence(void);
