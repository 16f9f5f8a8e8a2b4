"""What httpd carries out while it reads: lines for a main file, by what is to be seen of them.

`@root` is the tree's own directory; the flags GIVEN and VALUE=1 and the
environment variable FROM_OUTSIDE are set.
"""

from __future__ import annotations

from tests.support.apache_dump import module

EVALUATED = {
    "variables are put in as they are when the line is read": """
        Header set a ${late}
        Define late one
        Header set b ${late}
        Define late two
        Header set c ${late}
        UnDefine late
        Header set d ${late}
    """,
    "a variable's name is found in any case, a flag's in its own": """
        Define Foo "x y"
        Header set a "${FOO}|${foo}|${Foo}"
        <IfDefine FOO>
        Header set b wrong
        </IfDefine>
        <IfDefine Foo>
        Header set c right
        </IfDefine>
    """,
    "a flag defined again without a value keeps the value": """
        Define Foo x
        Define Foo
        Header set a ${Foo}
        UnDefine Foo
        Define Foo
        Header set a ${Foo}
    """,
    "a variable brings its own blanks and quotes": """
        Define words "a b"
        <VirtualHost *:80>
        ServerName x.test
        ServerAlias ${words} c
        </VirtualHost>
        Define quoted 'x "y z" env=!w'
        Header set ${quoted}
    """,
    "the environment is asked after what is defined": """
        Header set a "${FROM_OUTSIDE} ${from_outside} ${} ${open"
        Define FROM_OUTSIDE inside
        Header set b "${FROM_OUTSIDE}"
    """,
    "a variable can be a directive's name or a part of it": """
        Define what Header
        ${what} set a b
        Define where Location
        <${where} /x>
        Header set c d
        </${where}>
    """,
    "definitions last beyond the section they stand in": """
        <VirtualHost *:80>
        Define inner v
        ServerName ${inner}.test
        </VirtualHost>
        <Directory /x>
        Define inner w
        </Directory>
        Header set a ${inner}
    """,
    "flags are asked for in many ways": """
        <IfDefine GIVEN>
        Header set a y
        </IfDefine>
        <IfDefine !GIVEN>
        Header set b wrong
        </IfDefine>
        <IfDefine ! NOT>
        Header set c y
        </IfDefine>
        <IfDefine !"NOT">
        Header set d y
        </IfDefine>
        <IfDefine "!NOT">
        Header set e wrong
        </IfDefine>
        <ifdefine GIVEN and more > things >
        Header set f y
        </IFDEFINE>
        <IfDefine VALUE=1>
        Header set g ${VALUE}
        </IfDefine>
    """,
    "modules are asked for by identifier and by source file": """
        <IfModule headers_module>
        Header set a y
        </IfModule>
        <IfModule mod_headers.c>
        Header set b y
        </IfModule>
        <IfModule MOD_HEADERS.C>
        Header set c wrong
        </IfModule>
        <IfModule mod_headers>
        Header set d wrong
        </IfModule>
        <IfModule event.c>
        Header set e y
        </IfModule>
        <IfModule mod_mpm_event.c>
        Header set f wrong
        </IfModule>
        <IfModule mpm_event_module>
        Header set g y
        </IfModule>
        <IfModule http_core.c>
        <IfModule http_module>
        <IfModule !mod_gnutls.c>
        Header set h y
        </IfModule>
        </IfModule>
        </IfModule>
        <IfModule mod_so.c>
        <IfModule core_module>
        Header set i y
        </IfModule>
        </IfModule>
    """,
    "a module is there from the line that loads it": f"""
        <IfModule mod_env.c>
        Header set a wrong
        </IfModule>
        {module("env").strip()}
        <IfModule mod_env.c>
        SetEnv b y
        </IfModule>
    """,
    "versions are compared and matched": """
        <IfVersion 2.4.71>
        Header set a y
        </IfVersion>
        <IfVersion = 2.4>
        Header set b wrong
        </IfVersion>
        <IfVersion == 2.4.71 >
        Header set c y
        </IfVersion>
        <IfVersion >= 2.4>
        Header set d y
        </IfVersion>
        <IfVersion > 2.4.71>
        Header set e wrong
        </IfVersion>
        <IfVersion "<" "3">
        Header set f y
        </IfVersion>
        <IfVersion !<= 2.4.70>
        Header set g y
        </IfVersion>
        <IfVersion ~ ^2\\.4\\.>
        Header set h y
        </IfVersion>
        <IfVersion !~ ^2\\.4\\.>
        Header set i wrong
        </IfVersion>
        <IfVersion = /^2.[24]/>
        Header set j y
        </IfVersion>
        <IfVersion != 2.4.71>
        Header set k wrong
        </IfVersion>
    """,
    "files, directives and sections are asked for": """
        <IfFile g/1.conf>
        Header set a y
        </IfFile>
        <IfFile !/no/such/file>
        Header set b y
        </IfFile>
        <IfFile d>
        Header set c y
        </IfFile>
        <IfFile e/dangling>
        Header set d wrong
        </IfFile>
        <IfDirective sslusestapling>
        Header set e y
        </IfDirective>
        <IfDirective !MDomain>
        Header set f y
        </IfDirective>
        <IfDirective VirtualHost>
        Header set g wrong
        </IfDirective>
        <IfSection virtualhost>
        Header set h y
        </IfSection>
        <IfSection !MDomain>
        Header set i y
        </IfSection>
        <IfDirective Header and more>
        Header set j y
        </IfDirective>
    """,
    "sections stand in one another, continued and in odd case": """
        <ifmodule mod_ssl.c>
          <VIRTUALHOST *:443 \\
            127.0.0.1:8443>
        \tsslengine \\
              on
            serverName "quoted name.test"
            <IfModule !mod_nothing.c>
              <Directory />
                Require all \\
                  denied
              </Directory>
            </IfModule>
          </virtualhost> and this is not read
        </IfModule>
        # a comment \\
        Header set commented out
        Header set z "a # in it" "env=!x"
    """,
    "includes are read in the place and in the section of the include": """
        <VirtualHost *:80>
        ServerName x.test
        Include g/1.conf
        <Location /x>
        Include g/2.conf
        </Location>
        </VirtualHost>
        <If "true">
        Include g/10.conf
        </If>
        Include g/1.conf
    """,
    "the root can change on the way": """
        Include g/1.conf
        ServerRoot @root/g
        Include 2.conf
        <IfFile 1.conf>
        Header set a y
        </IfFile>
    """,
    "an include may lead back if a flag ends it": """
        Include guarded.conf
    """,
    "a macro's parameters are put in wherever they stand": """
        <Macro Site $name ${port} @doc %more>
          # no line: $name
          <VirtualHost *:${port}>

            ServerName $name.test
            ServerAdmin @doc
            ServerAlias www.$name.test \\
        %more
            Define inner $name
            <IfDefine $name>
              Header set $name ${inner}
            </IfDefine>
          </VirtualHost>
        </Macro>
        Define shop
        Define nine 9
        Use Site shop 8443 'a "b"' c
        USE sITE blog ${nine}443 x\\y "d e"
    """,
    "macros use macros and define macros": """
        <Macro Inner $x>
          Header set inner "$x"
        </Macro>
        <Macro Outer $y>
          # counted out
          <Location /$y>
            Use Inner "$y $y"

            Use Inner again
          </Location>
          <Macro Made $z>
            Header set made-$y $z
          </Macro>
        </Macro>
        Use Outer one
        Use Made two
        <VirtualHost *:80>
        ServerName x.test
        Use Outer three
        </VirtualHost>
        Use Made four
    """,
    "of two parameters the first wins, of two at one place the longer": """
        <Macro X $a $ab $b>
          Header set "$ab$a$b" "$abc $ba"
        </Macro>
        Use X 1 2 3
        Use X $b $a ""
    """,
    "a parameter can make a comment, an empty line or a section's name": """
        <Macro X $c $s>
          $c Header set a $s
          <$s /x>
            Header set b y
          </$s>
        </Macro>
        Use X # Location
        Use X "" LocationMatch
    """,
    "a macro in a section, an include in a macro": """
        <VirtualHost *:80>
        ServerName x.test
        <Macro X /IgnoreEmptyArgs $a>
          Include g/$a.conf
        </Macro>
        Use X 1
        </VirtualHost>
        Use X 2
        <Macro X>
          Header set redefined y
        </Macro>
        Use X
        UndefMacro x
    """,
    "a macro sees the variables of the place where it is used": """
        <Macro X $d>
          Header set $d ${v}
          Define v from-$d
        </Macro>
        Define v 1
        Use X a
        Use X b
    """,
}
"""Accepted by httpd."""

REFUSED = {
    "a macro nobody defined": "Use Nothing",
    "a macro used before it is defined": "Use X\n<Macro X>\nHeader set a b\n</Macro>",
    "a macro defined in a section that is not read":
        "<IfDefine NOT>\n<Macro X>\nHeader set a b\n</Macro>\n</IfDefine>\nUse X",
    "a macro forgotten": "<Macro X>\nHeader set a b\n</Macro>\nUndefMacro X\nUse X",
    "a macro forgotten that never was": "UndefMacro X",
    "too few arguments": "<Macro X $a>\nHeader set a $a\n</Macro>\nUse X",
    "too many arguments": "<Macro X $a>\nHeader set a $a\n</Macro>\nUse X 1 2",
    "a macro that uses itself": "<Macro X>\nUse X\n</Macro>\nUse X",
    "macros that use each other": "<Macro X>\nUse Y\n</Macro>\n<Macro Y>\nUse X\n</Macro>\nUse X",
    "two parameters of one name": "<Macro X $a $a>\nHeader set a $a\n</Macro>",
    "a macro without a name": "<Macro>\nHeader set a $a\n</Macro>",
    "a use without a name": "<Macro X>\nHeader set a b\n</Macro>\nUse",
    "a parameter that grows without end":
        '<Macro X @a>\nHeader set @a b\n</Macro>\nUse X "\\"\\"@a"',
    "an include that leads back": "Include loop.conf",
    "a condition without a word": "<IfDefine>\nInclude g/1.conf\n</IfDefine>",
    "a condition with an empty word": '<IfModule "">\nSSLProtocol all\n</IfModule>',
    "a version that is none": "<IfVersion >2.4>\nInclude g/1.conf\n</IfVersion>",
    "a comparison that is none": "<IfVersion ! 2.4>\nInclude g/1.conf\n</IfVersion>",
    "a definition without a name": "Define",
    "a definition of two values": "Define a b c",
    "a name with a colon": "Define a:b c",
    "a variable with a section in it": 'Define s "<Location /x>"\n${s}\nHeader set a b',
}  # fmt: skip
"""Refused by httpd."""
