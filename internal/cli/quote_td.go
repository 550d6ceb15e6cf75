package cli

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

// shownTD is the report of a TD.
type shownTD struct {
	MRTD           string   `json:"mrtd"`
	RTMR           []string `json:"rtmr"`
	MRConfigID     string   `json:"mrconfigid"`
	MROwner        string   `json:"mrowner"`
	MROwnerConfig  string   `json:"mrownerconfig"`
	MRServiceTD    string   `json:"mrservicetd,omitempty"` // TDX 1.5, as all below that may be absent
	Attributes     bitField `json:"td_attributes"`
	Debug          bool     `json:"debug"`
	XFAM           bitField `json:"xfam"`
	MRSEAM         string   `json:"mrseam"`
	MRSignerSEAM   string   `json:"mrsignerseam"`
	SEAMAttributes string   `json:"seam_attributes"`
	TEETCBSVN      string   `json:"tee_tcb_svn"`
	TEETCBSVN2     string   `json:"tee_tcb_svn_2,omitempty"`
	ReportData     string   `json:"report_data"`

	Extended *shownTDEx `json:"extended,omitempty"`
}

// shownTDEx is what the extended report adds.
type shownTDEx struct {
	VMID                 uint8  `json:"vmid"`
	TDID                 string `json:"tdid"`
	DevInfo              string `json:"dev_info"`
	InitServTDHash       string `json:"init_servtd_hash"`
	InitServTDAttributes string `json:"init_servtd_attributes"`
	InitCPUSVN           string `json:"init_cpusvn"`
	InitTEETCBSVN        string `json:"init_tee_tcb_svn"`
	InitTEEFMSPC         string `json:"init_tee_fmspc"`
	CurServTDHash        string `json:"cur_servtd_hash"`
	CurServTDAttributes  string `json:"cur_servtd_attributes"`
}

// bitField is a word and the names of its bits.
type bitField struct {
	Value string   `json:"value"`
	Names []string `json:"names"`
}

func showBits(v uint64, names []bitName) bitField {
	return bitField{fmt.Sprintf("%#x", v), bits(v, names)}
}

func (b bitField) String() string {
	if len(b.Names) == 0 {
		return b.Value
	}
	return b.Value + " (" + strings.Join(b.Names, " ") + ")"
}

// tdAttributeNames are the names of the TDX module's ABI, "ATTRIBUTES".
var tdAttributeNames = []bitName{
	{uint64(dcap.TDDebug), "DEBUG"}, {uint64(dcap.TDHGSPlusProf), "HGS_PLUS_PROF"}, {uint64(dcap.TDPerfProf), "PERF_PROF"}, {uint64(dcap.TDPMTProf), "PMT_PROF"},
	{uint64(dcap.TDICSSD), "ICSSD"}, {uint64(dcap.TDLASS), "LASS"}, {uint64(dcap.TDSEPTVEDisable), "SEPT_VE_DISABLE"}, {uint64(dcap.TDMigratable), "MIGRATABLE"},
	{uint64(dcap.TDPKS), "PKS"}, {uint64(dcap.TDKeyLocker), "KL"}, {uint64(dcap.TDTPA), "TPA"}, {uint64(dcap.TDPerfmon), "PERFMON"},
}

// xfamNames are those of XCR0 and of IA32_XSS (SDM Vol. 1, "XSAVE-Supported
// Features and State-Component Bitmaps").
var xfamNames = append(append([]bitName{}, xfrmNames...),
	bitName{1 << 8, "PT"}, bitName{1 << 10, "PASID"}, bitName{1 << 11, "CET_U"}, bitName{1 << 12, "CET_S"}, bitName{1 << 13, "HDC"},
	bitName{1 << 14, "UINTR"}, bitName{1 << 15, "LBR"}, bitName{1 << 16, "HWP"})

func showTD(q *dcap.Quote) *shownTD {
	t := q.TDReport()
	if t == nil {
		return nil
	}
	s := &shownTD{
		MRTD: hex.EncodeToString(t.MRTD[:]), MRConfigID: hex.EncodeToString(t.MRConfigID[:]),
		MROwner: hex.EncodeToString(t.MROwner[:]), MROwnerConfig: hex.EncodeToString(t.MROwnerConfig[:]),
		Attributes: showBits(uint64(t.TDAttributes), tdAttributeNames), Debug: t.TDAttributes&dcap.TDDebug != 0, XFAM: showBits(t.XFAM, xfamNames),
		MRSEAM: hex.EncodeToString(t.MRSEAM[:]), MRSignerSEAM: hex.EncodeToString(t.MRSignerSEAM[:]), SEAMAttributes: hex.EncodeToString(t.SEAMAttributes[:]),
		TEETCBSVN: hex.EncodeToString(t.TEETCBSVN[:]), ReportData: hex.EncodeToString(t.ReportData[:]),
	}
	for i := range t.RTMR {
		s.RTMR = append(s.RTMR, hex.EncodeToString(t.RTMR[i][:]))
	}
	if t := q.TDReport15(); t != nil {
		s.TEETCBSVN2, s.MRServiceTD = hex.EncodeToString(t.TEETCBSVN2[:]), hex.EncodeToString(t.MRServiceTD[:])
	}
	if t, ok := q.Body.(*dcap.TDReport15Ex); ok {
		s.Extended = &shownTDEx{
			VMID: t.VMID, TDID: hex.EncodeToString(t.TDID[:]), DevInfo: hex.EncodeToString(t.DevInfo[:]),
			InitServTDHash: hex.EncodeToString(t.InitServTDHash[:]), InitServTDAttributes: hex.EncodeToString(t.InitServTDAttributes[:]),
			InitCPUSVN: hex.EncodeToString(t.InitCPUSVN[:]), InitTEETCBSVN: hex.EncodeToString(t.InitTEETCBSVN[:]), InitTEEFMSPC: hex.EncodeToString(t.InitTEEFMSPC[:]),
			CurServTDHash: hex.EncodeToString(t.CurServTDHash[:]), CurServTDAttributes: hex.EncodeToString(t.CurServTDAttributes[:]),
		}
	}
	return s
}

// add adds what is shown of a TD.
func (s *shownTD) add(add func(name, value string)) {
	add("MRTD", s.MRTD)
	for i, v := range s.RTMR {
		add(fmt.Sprintf("RTMR%d", i), v)
	}
	add("MRCONFIGID", s.MRConfigID)
	add("MROWNER", s.MROwner)
	add("MROWNERCONFIG", s.MROwnerConfig)
	if s.MRServiceTD != "" {
		add("MRSERVICETD", s.MRServiceTD)
	}
	add("TD attributes", s.Attributes.String())
	add("XFAM", s.XFAM.String())
	add("MRSEAM", s.MRSEAM)
	add("MRSIGNERSEAM", s.MRSignerSEAM)
	add("SEAM attributes", s.SEAMAttributes)
	add("TEE TCB SVN", s.TEETCBSVN)
	if s.TEETCBSVN2 != "" {
		add("TEE TCB SVN 2", s.TEETCBSVN2)
	}
	if x := s.Extended; x != nil {
		add("VMID", fmt.Sprint(x.VMID))
		add("TD ID", x.TDID)
		add("Device info", x.DevInfo)
		add("Initial service TDs", x.InitServTDHash+", attributes "+x.InitServTDAttributes)
		add("Current service TDs", x.CurServTDHash+", attributes "+x.CurServTDAttributes)
		add("Initial CPUSVN", x.InitCPUSVN)
		add("Initial TEE TCB SVN", x.InitTEETCBSVN)
		add("Initial FMSPC", x.InitTEEFMSPC)
	}
	add("Report data", s.ReportData)
	if s.Debug {
		add("Debug", debugTD)
	}
}
