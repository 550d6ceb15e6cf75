package policy

import "reflect"

// Keys are all keys of a policy file, and whether a rule of that name can fail.
func Keys() map[string]bool {
	keys := map[string]bool{}
	collect(keys, "", topRules)
	collect(keys, "tcb", tcbRules)
	collect(keys, "collateral", collateralRules)
	collect(keys, "platform", platformRules)
	collect(keys, "sgx", enclaveRules)
	collect(keys, "tdx", tdRules)
	return keys
}

func collect[S, F any](keys map[string]bool, section string, rules []rule[S, F]) {
	for _, r := range rules {
		keys[join(section, r.key)] = r.check != nil
	}
}

// Equal compares two policies field by field.
func Equal(a, b *Policy) bool { return reflect.DeepEqual(a, b) }
