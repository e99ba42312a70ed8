import Platform

/// What /proc/cpuinfo tells of the processor, as CPUID tells it: the program may ask it itself.
enum ProcessorDescription {
    /// One register of a CPUID leaf and the names of its bits from bit 0 on, as Linux has them in
    /// /proc/cpuinfo; a hyphen stands for a bit without a name.
    private struct Register {
        let leaf: UInt32
        let subleaf: UInt32
        let word: Int
        let names: StaticString

        init(_ leaf: UInt32, _ subleaf: UInt32, _ word: Int, _ names: StaticString) {
            self.leaf = leaf
            self.subleaf = subleaf
            self.word = word
            self.names = names
        }
    }

    private static func registers() -> InlineArray<9, Register> {
        [
            Register(
                1,
                0,
                3,
                """
                fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat \
                pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe
                """
            ),
            Register(
                0x8000_0001,
                0,
                3,
                """
                - - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - \
                fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow
                """
            ),
            Register(
                1,
                0,
                2,
                """
                pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg \
                fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic movbe popcnt \
                tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor
                """
            ),
            Register(
                0x8000_0001,
                0,
                2,
                """
                lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse \
                3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce - nodeid_msr - \
                tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx
                """
            ),
            Register(
                7,
                0,
                1,
                """
                fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm \
                cqm - mpx rdt_a avx512f avx512dq rdseed adx smap avx512ifma - \
                clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw \
                avx512vl
                """
            ),
            Register(
                0xd,
                1,
                0,
                """
                xsaveopt xsavec xgetbv1 xsaves
                """
            ),
            Register(
                7,
                1,
                0,
                """
                - - - - avx_vnni avx512_bf16
                """
            ),
            Register(
                7,
                0,
                2,
                """
                - avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes \
                vpclmulqdq avx512_vnni avx512_bitalg tme avx512_vpopcntdq - la57 - - \
                - - - rdpid - - cldemote - movdiri movdir64b
                """
            ),
            Register(
                7,
                0,
                3,
                """
                - - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - \
                md_clear - - - serialize - tsxldtrk - pconfig arch_lbr - - amx_bf16 \
                avx512_fp16 amx_tile amx_int8
                """
            ),
        ]
    }

    static func append(to text: inout TextBuffer) {
        appendIdentity(to: &text)
        text.append("flags\t\t:")
        let registers = registers()
        for index in 0..<registers.count { append(registers[index], to: &text) }
        text.append("\n")
    }

    private static func leaf(_ number: UInt32, _ subleaf: UInt32) -> InlineArray<4, UInt32> {
        let words = processor_leaf(number, subleaf)
        return [words.eax, words.ebx, words.ecx, words.edx]
    }

    /// Whether a leaf exists: the first of its range tells the last one.
    private static func hasLeaf(_ number: UInt32) -> Bool {
        leaf(number & 0x8000_0000, 0)[0] >= number
    }

    private static func append(_ register: Register, to text: inout TextBuffer) {
        guard hasLeaf(register.leaf) else { return }
        let bits = leaf(register.leaf, register.subleaf)[register.word]
        let names = UnsafeRawBufferPointer(
            start: register.names.utf8Start,
            count: register.names.utf8CodeUnitCount
        )
        var start = 0
        var bit: UInt32 = 0
        while start < names.count {
            var end = start
            while end < names.count, names[end] != 0x20 { end += 1 }
            if bits >> bit & 1 != 0, names[start] != 0x2d {
                text.append(" ")
                text.append(UnsafeRawBufferPointer(rebasing: names[start..<end]))
            }
            start = end + 1
            bit += 1
        }
    }

    private static func appendIdentity(to text: inout TextBuffer) {
        var words = InlineArray<16, UInt32>(repeating: 0)
        let version = leaf(1, 0)[0]
        let family = version >> 8 & 0xf
        let model = version >> 4 & 0xf
        withUnsafeMutableBytes(of: &words) { bytes in
            processor_identity(bytes.baseAddress!.assumingMemoryBound(to: UInt32.self))
            text.append("vendor_id\t: ")
            text.append(UnsafeRawBufferPointer(rebasing: bytes[48..<60]))
            text.append("\ncpu family\t: ")
            text.append(family == 0xf ? family + (version >> 20 & 0xff) : family)
            text.append("\nmodel\t\t: ")
            text.append(family == 6 || family == 0xf ? model + (version >> 12 & 0xf0) : model)
            text.append("\nmodel name\t: ")
            for byte in bytes[..<48] where byte != 0 { text.append(byte: byte) }
            text.append("\nstepping\t: ")
            text.append(version & 0xf)
            text.append("\n")
        }
    }
}
